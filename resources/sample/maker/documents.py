"""Makes the PDFs and the office documents."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pymupdf
from pictures import paper

CSS = """
* { font-family: sans-serif; color: #222; }
h1 { font-size: 25px; margin-bottom: 8px; } h2 { font-size: 17px; margin: 16px 0 5px 0; }
p, li { font-size: 13px; line-height: 1.5; margin: 0 0 9px 0; text-align: justify; }
td, th { font-size: 12px; padding: 5px; border: 0.5px solid #888; text-align: left; }
table { border-collapse: collapse; margin: 6px 0; }
.small { font-size: 10.5px; color: #666; }
"""
BODY = pymupdf.Rect(62, 60, 533, 760)
BLUE, GREY, RED = (0.18, 0.43, 0.72), (0.55, 0.58, 0.62), (0.78, 0.25, 0.2)


def write(path: Path, title: str, pages: list[str], draw: dict[int, Callable], columns: int = 1):
    """A PDF with one HTML text a page and drawings below the text of some pages."""
    document = pymupdf.open()
    document.set_metadata({"title": title, "author": "Sample library", "creator": "Inkling"})
    for number, html in enumerate(pages, 1):
        page = document.new_page(width=595, height=842)
        parts = html.split("<column/>") if columns > 1 else [html]
        wide = (BODY.width - 18 * (columns - 1)) / columns
        for n, part in enumerate(parts):
            left = BODY.x0 + n * (wide + 18)
            box = pymupdf.Rect(left, BODY.y0, left + wide, BODY.y1)
            if len(parts) == 1:
                box = BODY
            spare, _ = page.insert_htmlbox(box, part, css=CSS, scale_low=1)
            if spare < 0:
                raise ValueError(f"{path.name}, page {number}: too much text")
        if number in draw:
            draw[number](page)
        foot = f"{title}   ·   {number} / {len(pages)}"
        page.insert_text((62, 806), foot, fontsize=8, color=GREY)
    path.parent.mkdir(parents=True, exist_ok=True)
    document.subset_fonts()
    document.save(path, garbage=4, deflate=True, no_new_id=True)


def piping(page: pymupdf.Page) -> None:
    """Figure 2 of the heat pump's manual."""

    def box(x: float, y: float, w: float, h: float, text: str) -> None:
        page.draw_rect((x, y, x + w, y + h), color=(0, 0, 0), width=1)
        page.insert_textbox((x + 4, y + 8, x + w - 4, y + h), text, fontsize=9, align=1)

    box(80, 470, 110, 70, "Outdoor unit\nHX-40")
    box(260, 470, 90, 70, "Buffer tank\n50 litres")
    box(420, 420, 100, 50, "Underfloor loop")
    box(420, 530, 100, 50, "Hot water\ncylinder")
    for start, end, colour in (
        ((190, 490), (260, 490), RED),
        ((260, 522), (190, 522), BLUE),
        ((350, 490), (420, 450), RED),
        ((420, 462), (350, 515), BLUE),
        ((350, 520), (420, 548), RED),
    ):
        page.draw_line(start, end, color=colour, width=2)
    page.insert_text(
        (80, 620),
        "Figure 2: flow (red) and return (blue). V3 sits between tank and cylinder.",
        fontsize=9,
    )


def bars(page: pymupdf.Page) -> None:
    """Figure 1 of the quarter's report: active customers by month."""
    values = (
        ("Oct", 3120),
        ("Nov", 3300),
        ("Dec", 3180),
        ("Jan", 3560),
        ("Feb", 3910),
        ("Mar", 4075),
    )
    for n in range(5):
        y = 700 - n * 50
        page.draw_line((90, y), (510, y), color=(0.85, 0.85, 0.85), width=0.6)
        page.insert_text((64, y + 3), str(n * 1000), fontsize=8, color=GREY)
    for n, (month, value) in enumerate(values):
        x = 110 + n * 66
        page.draw_rect((x, 700 - value / 20, x + 40, 700), fill=BLUE, color=BLUE)
        page.insert_text((x + 10, 714), month, fontsize=9)
        page.insert_text((x + 8, 694 - value / 20), str(value), fontsize=8)
    page.insert_text(
        (90, 738), "Figure 1: customers who uploaded at least one picture in the month.", fontsize=9
    )


def counts(page: pymupdf.Page) -> None:
    """The paper's figure: birds against the height of the tide."""
    import math

    page.draw_line((90, 700), (510, 700), width=0.8)
    page.draw_line((90, 700), (90, 540), width=0.8)
    for wave, colour in ((0.0, BLUE), (1.1, RED)):
        points = [
            (90 + t * 4.2, 690 - 120 * math.exp(-(((t - 50 - wave * 9) / 16) ** 2)))
            for t in range(100)
        ]
        page.draw_polyline(points, color=colour, width=1.4)
    page.insert_text((96, 552), "birds", fontsize=8)
    page.insert_text((430, 714), "hours after low water", fontsize=8)
    page.insert_text(
        (90, 736), "Fig. 2. Dunlin (blue) leave the flat an hour before curlew (red).", fontsize=9
    )


MANUAL = [
    """<h1>HX-40 air-to-water heat pump</h1><p class='small'>Owner's handbook, edition 4, for units built
    from 2023</p><h2>Before you begin</h2><p>This handbook is for the people who live with the machine.
    Work on the refrigerant circuit (R290, propane) belongs to a certified fitter. Keep one metre around
    the outdoor unit free of openings into the house, drains and light wells: propane is heavier than
    air and collects in low places.</p><h2>What is in the box</h2><ul><li>outdoor unit with four rubber
    feet</li><li>wall controller</li><li>outdoor sensor, 8 m of cable</li><li>condensate tray heater</li>
    </ul><h2>Sound</h2><p>At night the fan may not exceed 900 turns a minute. Set this under
    <b>Comfort / Quiet hours</b>. The unit is then as loud as a refrigerator: 38 dB(A) at three
    metres.</p>""",
    """<h1>Everyday use</h1><p>Turn the knob to choose the room temperature. A short press shows the water
    temperature, a long press takes you back. The machine follows the heating curve: the colder it is
    outside, the warmer the water.</p><h2>The heating curve</h2><p>If the rooms are too cool on mild
    days, raise the foot of the curve. If they are too cool only in frost, make it steeper. Change one
    step, then wait two days: screed is slow.</p><h2>Holiday</h2><p>Choose <b>Away</b> and the day of
    return. Rooms are held at 15 °C; once a week the cylinder is heated to 62 °C against
    legionella.</p><h2>Ice on the outdoor unit</h2><p>Frost on the fins is normal. Every hour or two
    the machine turns round for some minutes and melts it; steam rises and the fan stands still.</p>""",
    """<h1>When something blinks</h1><p>The controller shows a letter and two digits. Write them down
    before you switch anything off.</p><table><tr><th>Code</th><th>What it means</th><th>What to do</th>
    </tr><tr><td>E07</td><td>too little water flows</td><td>clean the strainer below the buffer tank, top
    up to 1.5 bar</td></tr><tr><td>E12</td><td>outdoor sensor gives no value</td><td>look for a bitten
    cable; the machine goes on at 5 °C</td></tr><tr><td>E21</td><td>high pressure cut-out</td><td>open
    all room valves; call the fitter if it comes back twice in a day</td></tr><tr><td>F03</td>
    <td>defrosting failed three times</td><td>clear leaves and snow from the fins, check the tray
    heater</td></tr><tr><td>H01</td><td>leak sensor: propane in the air</td><td><b>leave the house, do
    not touch switches, call the fire brigade from outside</b></td></tr></table><p>A code that starts
    with E clears itself. F and H stay until somebody confirms them.</p>""",
    """<h1>How it is connected</h1><p>The three-way valve V3 sends the warm water to the floor or to the
    cylinder, never to both. Hot water comes first, for at most forty minutes.</p><table><tr><th>Pipe</th>
    <th>Diameter</th><th>Insulation</th></tr><tr><td>outdoors, flow and return</td><td>32 mm</td><td>at
    least 19 mm, proof against birds</td></tr><tr><td>to the underfloor loop</td><td>25 mm</td>
    <td>9 mm</td></tr><tr><td>to the cylinder</td><td>28 mm</td><td>13 mm</td></tr></table>""",
    """<h1>Once a year</h1><ol><li>Rinse the fins from inside to outside with a garden hose. Never use a
    pressure washer.</li><li>Empty the magnetic dirt trap.</li><li>Measure the water pressure: between
    1.2 and 1.8 bar when cold.</li><li>Let the fitter check the propane sensor. It must be renewed after
    seven years.</li></ol><h2>Technical data</h2><table><tr><th></th><th>at 7 °C / 35 °C</th><th>at
    -7 °C / 35 °C</th></tr><tr><td>heat output</td><td>8.4 kW</td><td>6.9 kW</td></tr><tr><td>coefficient
    of performance</td><td>4.9</td><td>3.1</td></tr><tr><td>electric fuse</td><td>16 A, C</td><td></td>
    </tr></table><p>Spare parts are kept for fifteen years.</p>""",
]
REPORT = [
    """<h1>First quarter 2026</h1><p class='small'>Report to the shareholders of Fjordbilder AS</p>
    <p>We closed the quarter with 4,075 active customers, a third more than in autumn. The outage in
    March cost us 61 of them and taught us more than the rest of the winter together.</p><h2>Growth</h2>
    <p>Most newcomers arrive through schools: a class that prints one yearbook tells three others. We
    have stopped buying advertisements altogether.</p>""",
    """<h1>Money</h1><table><tr><th>thousand NOK</th><th>Q4 2025</th><th>Q1 2026</th></tr><tr><td>Income
    from subscriptions</td><td>1,912</td><td>2,304</td></tr><tr><td>Income from prints</td><td>840</td>
    <td>655</td></tr><tr><td>Salaries</td><td>-1,730</td><td>-1,795</td></tr><tr><td>Servers and
    storage</td><td>-422</td><td>-518</td></tr><tr><td>Office</td><td>-160</td><td>-158</td></tr>
    <tr><th>Result</th><th>440</th><th>488</th></tr></table><p>Storage grows faster than income. From
    June, originals nobody has opened for a year move to tape; fetching one takes up to six hours.</p>
    <h2>Cash</h2><p>At the end of March the accounts hold 3.1 million, enough for eleven months without
    any income.</p>""",
    """<h1>People</h1><p>Priya joins the server team in May. Tomasz goes down to four days to look after
    his twins. Nobody left. The survey in February gave 8.1 of 10 for “I would recommend working here”;
    the lowest mark, 5.9, went to the noise in the open office. Two telephone booths are ordered.</p>
    <h2>Holidays</h2><p>The office is closed from 13 to 24 July.</p>""",
    """<h1>Risks</h1><ul><li><b>One supplier for all storage.</b> The March outage showed it. A second
    place in Trondheim is being tested; the copy runs six hours behind.</li><li><b>New rules for
    children's pictures.</b> Consent must be renewed every year. Our forms only ask once.</li>
    <li><b>Key person.</b> Only Jonas knows the billing code. He writes it down until
    Whitsun.</li></ul><h2>Outlook</h2><p>We expect between 4,300 and 4,600 customers by the end of
    June.</p>""",
]
PAPER = [
    """<h1>When do waders leave the mud? Twelve winters of counts on a northern tidal flat</h1><p
    class='small'>A. Halvorsen and M. Okafor</p><h2>Abstract</h2><p>Shorebirds feed while the mud is bare.
    We counted seven species on 212 days over twelve winters from a hide at the mouth of the Lysa. Birds
    with short bills left the flat up to 70 minutes before those with long bills. Strong onshore wind
    shortened feeding by a fifth. Disturbance by walkers with dogs cost more feeding time than birds of
    prey did.</p><column/><h2>1. Introduction</h2><p>Worms and snails retreat deeper when the water
    returns. A bird that probes five millimetres loses its table earlier than one that probes ten
    centimetres. This simple idea has rarely been tested with counts by the minute.</p><p>Earlier work
    followed single marked birds. We ask instead what the whole flock does.</p>""",
    """<h2>2. Methods</h2><p>The flat covers 340 hectares of fine sand. Two observers counted every ten
    minutes from three hours before to four hours after low water, with telescopes of 30 times
    magnification. Counts in fog were left out (31 days).</p><p>Wind came from the lighthouse, 4 km
    west.</p><column/><table><tr><th>Species</th><th>Bill (mm)</th><th>Leaves (min)</th></tr><tr>
    <td>Ringed plover</td><td>15</td><td>94</td></tr><tr><td>Sanderling</td><td>25</td><td>101</td></tr>
    <tr><td>Dunlin</td><td>33</td><td>118</td></tr><tr><td>Redshank</td><td>41</td><td>131</td></tr><tr>
    <td>Oystercatcher</td><td>74</td><td>149</td></tr><tr><td>Bar-tailed godwit</td><td>88</td>
    <td>155</td></tr><tr><td>Curlew</td><td>129</td><td>164</td></tr></table><p class='small'>Table 1.
    Median time after low water at which half of the birds had left.</p>""",
    """<h2>3. Results</h2><p>The longer the bill, the later a species left (Spearman 0.96). Above
    12 m/s from the north-west the flat was covered early and all species lost about 25 minutes. A dog
    off the lead emptied the nearest 200 metres for 38 minutes, a hunting peregrine for 11.</p>""",
    """<h2>4. Discussion</h2><p>Length of bill explains most of the order, but godwits left earlier than
    expected. They may simply be full: their prey is larger.</p><p>For those who look after the coast
    the last result matters most. A fence of 150 metres would give back more feeding time than any
    control of predators.</p><column/><h2>Thanks</h2><p>To the harbour rowing club, whose boat brought us
    out in all weathers, and to 41 volunteers.</p><h2>Data</h2><p>All counts are kept by the county
    museum and given to anybody who asks.</p>""",
]
TENANCY = [
    """<h1>Tenancy agreement</h1><p>between the Harbour Street Housing Co-operative (landlord) and Mara
    Lindqvist (tenant) about the flat on the third floor left, Hafenstraße 12, 74 square metres.</p>
    <h2>§ 1 Beginning and end</h2><p>The tenancy begins on 1 July 2026 and has no fixed end. The tenant
    may give notice with three months, the landlord with six months and only for a reason named by
    law.</p><h2>§ 2 Rent</h2><p>The rent is 985 euros a month without heating, due on the third working
    day. It may be raised once in fifteen months, by no more than a tenth in three years.</p>
    <h2>§ 3 Heating and water</h2><p>For heating and warm water 140 euros are paid in advance each month
    and settled every August.</p>""",
    """<h2>§ 4 Deposit</h2><p>Two months' rent, payable in three parts. The landlord keeps it apart from
    his own money and pays it back, with interest, no later than six months after the keys are
    returned.</p><h2>§ 5 Animals</h2><p>Small animals in cages need no consent. For a dog or a cat the
    tenant asks beforehand; consent is refused only if a neighbour's health is at stake.</p>
    <h2>§ 6 Subletting</h2><p>A single room may be let for up to two years with consent in writing.
    Letting the flat to holiday guests is not allowed, not even for one night.</p><h2>§ 7 Noise</h2>
    <p>Musical instruments may be played for two hours a day, not between 13 and 15 and not after
    20 o'clock. Drills rest on Sundays.</p>""",
    """<h2>§ 8 Repairs</h2><p>The tenant bears small repairs up to 90 euros each and 300 euros a year.
    Damage from damp must be reported within a week.</p><h2>§ 9 Bicycles and prams</h2><p>They stand in
    the yard or in the cellar, never in the stairwell, which is an escape route.</p><h2>§ 10 At the
    end</h2><p>The flat is handed back swept. Painting is needed only where walls were given a strong
    colour.</p><p>Signed on 20 May 2026</p>""",
]
INVOICE = """\
CYKELVERKSTED LUND           Invoice 2207
Nedre gate 5                 19 March 2026

For: M. Lindqvist, touring bicycle, green

  new bottom bracket               48.00
  chain and cassette, 9-speed      72.50
  rear wheel trued, 2 spokes       25.00
  brake pads, front                16.00
  labour, 1.5 hours                90.00
                                 -------
  to pay by 2 April               251.50

The frame has a hairline crack below
the bottle cage. Please do not ride
it with luggage until it is welded.
"""


def scanned_invoice(path: Path) -> None:
    """A PDF that is only a picture: needs OCR."""
    picture = io.BytesIO()
    paper(INVOICE, 9, -0.8).resize((1033, 1462)).save(picture, "JPEG", quality=55)
    document = pymupdf.open()
    page = document.new_page(width=595, height=842)
    page.insert_image(page.rect, stream=picture.getvalue())
    document.save(path, garbage=4, deflate=True, no_new_id=True)


def word(path: Path) -> None:
    """A project's kick-off paper."""
    from docx import Document

    doc = Document()
    doc.core_properties.title = "Watching the Wattsen bridge"
    doc.add_heading("Watching the Wattsen bridge", 0)
    doc.add_paragraph(
        "The county wants to know how the old steel bridge moves before it decides whether lorries of "
        "more than 28 tonnes may cross. We hang sensors on it for two winters."
    )
    doc.add_heading("What is measured", 1)
    table = doc.add_table(rows=1, cols=3, style="Light Grid Accent 1")
    for cell, text in zip(table.rows[0].cells, ("Sensor", "Where", "How often"), strict=True):
        cell.text = text
    for line in (
        ("strain gauge (16)", "lower chord, bays 3 to 6", "50 per second"),
        ("tilt meter (4)", "both bearings", "every minute"),
        ("thermometer (6)", "steel and air", "every ten minutes"),
        ("camera (1)", "east portal", "when a lorry passes"),
    ):
        for cell, text in zip(table.add_row().cells, line, strict=True):
            cell.text = text
    doc.add_heading("Power", 1)
    doc.add_paragraph(
        "There is no mains on the bridge. Two solar panels and a lithium battery of 2.4 kWh must last "
        "through eleven dark days in December; below 20 per cent the cameras sleep first."
    )
    doc.add_heading("Who decides what", 1)
    doc.add_paragraph("Ines speaks with the county. Mara owns the data format. Jonas climbs.")
    doc.save(str(path))


def slides(path: Path) -> None:
    """A road map of four slides."""
    from pptx import Presentation

    deck = Presentation()
    for title, lines in (
        ("Fjordbilder 2026", ["Where we go until Christmas", "Mara, for the all-hands on 9 April"]),
        (
            "Spring: stop the bleeding",
            [
                "Second storage site in Trondheim",
                "Random pauses between attempts",
                "On-call handover on Mondays",
            ],
        ),
        (
            "Summer: faces without a cloud",
            [
                "Group pictures by person on the phone itself",
                "No biometric data on our servers",
                "Opt-in for every album",
            ],
        ),
        (
            "Autumn: paper again",
            [
                "Yearbooks from a lay-out that schools can edit",
                "Printing moves from Riga to Bergen",
                "Price stays below 190 kroner",
            ],
        ),
    ):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = "\n".join(lines)
    deck.slides[
        2
    ].notes_slide.notes_text_frame.text = (
        "Expect a question about the ministry's ban on face recognition in kindergartens."
    )
    deck.save(str(path))


def sheet(path: Path) -> None:
    """A household's budget."""
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    year = book.active
    year.title = "2026"
    year.append(["Item", "per month (EUR)", "Remark"])
    for line in (
        ("Rent", 985, "new flat from July, before that 910"),
        ("Heating, warm water", 140, "settled in August"),
        ("Rowing club", 38, "trailer insurance included"),
        ("Piano lessons", 96, "not in July"),
        ("Telephone and internet", 44, "contract ends 30 November, cancel by 31 August"),
        ("Liability insurance", 6, "paid yearly in January"),
        ("Put aside for the boat", 150, "goal: 4,200 by spring 2027"),
    ):
        year.append(line)
    year.append(["Sum", "=SUM(B2:B8)", ""])
    moving = book.create_sheet("Moving house")
    for line in (
        ("What", "EUR"),
        ("Van and two people", 640),
        ("Piano carriers", 380),
        ("Parking ban signs", 62),
        ("Paint", 118),
    ):
        moving.append(line)
    for page in book:
        for cell in page[1]:
            cell.font = Font(bold=True)
        page.column_dimensions["A"].width = 28
        page.column_dimensions["C"].width = 44
    book.save(path)


def make(library: Path) -> None:
    """Write all of them."""
    papers = library / "Documents"
    write(papers / "Manuals" / "HX-40.pdf", "HX-40 heat pump", MANUAL, {4: piping})
    write(papers / "Work" / "report Q1.pdf", "First quarter 2026", REPORT, {1: bars})
    write(papers / "Papers" / "waders.pdf", "When do waders leave the mud?", PAPER, {3: counts}, 2)
    write(papers / "Contracts" / "tenancy.pdf", "Tenancy agreement", TENANCY, {})
    scanned_invoice(papers / "Scans" / "scan0012.pdf")
    word(papers / "Work" / "Wattsen kick-off.docx")
    slides(papers / "Work" / "all-hands.pptx")
    sheet(papers / "Finance" / "budget 2026.xlsx")
