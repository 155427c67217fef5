"""What the command line shows to a person: answers, progress, problems."""

from __future__ import annotations

import datetime as dt
import os
import re
import time
from collections.abc import Sequence
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from engine.contract.errors import why_name_only
from engine.contract.notices import worded
from engine.contract.readings import GIVEN_UP
from engine.contract.types import Notice

if TYPE_CHECKING:
    from desktop.client import Client
    from desktop.system.purging import Purged
    from engine.contract.agent_log import AgentRead
    from engine.contract.paths import BaseDir

console = Console(highlight=False, soft_wrap=True)
#: Characters of a query picture's words; --json has them all.
_MOST_SAID = 90
#: Passages listed of an explained file; a book has thousands.
_MOST_UNITS = 12
#: Files named of each reason, rules of each kind.
_MOST_LISTED = 5
#: Copies named with a hit; --json has more.
_MOST_COPIES = 3


def printable(path: str) -> str:
    """A path for the eye: home as ~, undecodable bytes as escapes, no control characters."""
    home = os.path.expanduser("~")
    if home != "/" and path.startswith(home + os.sep):
        path = "~" + path[len(home) :]
    text = path.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def show_answer(answer: dict[str, Any]) -> None:
    """Hits with place, passage and the words that matched."""
    hits = answer["hits"]
    if answer["read"]:
        console.print(_readings(answer))
    if not hits:
        console.print("Nothing found.")
    elif answer["loose"]:
        console.print("[yellow]Nothing holds the quoted words as they stand; the nearest are:[/]")
    elif pattern := answer.get("pattern_relaxed", ""):
        console.print(f"[yellow]No name is of this pattern; these are of {escape(pattern)}:[/]")
    elif answer["weak"]:
        console.print("[yellow]Nothing matches well; the nearest are:[/]")
    if words := answer.get("picture_words", ""):
        by = "its look, and by its words" if answer["coverage"].get("pictures") else "its words"
        said = shorten(printable(words), _MOST_SAID, placeholder=" …")
        console.print(f"[dim]Asked by {by} “{escape(said)}”.[/]")
    if hits and answer["spelling"]:
        console.print(f"[dim]Also searched for “{escape(answer['spelling'])}”.[/]")
    matching = answer.get("matches")
    for number, hit in enumerate(hits, 1):
        if matching and number == matching + 1:
            console.print("[dim]Also similar:[/]")
        _show_hit(number, hit)
    if answer["coverage"].get("message"):
        console.print(f"[dim]{escape(answer['coverage']['message'])}[/]")
    _show_notices(answer)


def _show_notices(answer: dict[str, Any]) -> None:
    """What the answer can't hold, and the command that helps."""
    for row in answer.get("notices", ()):
        if known := worded(Notice(row["code"], row["told"])):
            sentence, helps = known
            console.print(f"[yellow]{escape(sentence)}[/] [dim]{helps.command}[/]")


def _readings(answer: dict[str, Any]) -> Text:
    """What was read as filters, and how to take it back."""
    said = ", ".join(f"“{printable(row['words'])}” = {row['filter']}" for row in answer["read"])
    line = Text(f"Read: {said}", style="cyan")
    why = GIVEN_UP.get(answer["given_up"], "")
    return line.append(f"  {why or '--plain: as words.'}", style="yellow" if why else "dim")


def _show_hit(number: int, hit: dict[str, Any]) -> None:
    place = _place(hit["location"])
    line = Text(f"{number:2d}. ")
    line.append(printable(hit["path"]), style="bold")
    if place:
        line.append(f"  {place}", style="cyan")
    date = hit.get("attributes", {}).get("taken", hit["mtime"])
    day = dt.date.fromtimestamp(date).isoformat()
    line.append(f"  {hit['kind']}, {day}", style="dim")
    if hit.get("archive"):
        line.append(f"  in {hit['archive']}", style="magenta")
    if hit["offline"]:
        line.append("  offline", style="yellow")
    console.print(line)
    if why := why_name_only(hit["state"], hit["reason"]):
        console.print(Text(f"    found by its name alone: {why}", style="yellow"))
    if hit["snippet"]:
        console.print(_marked(hit))
    if hit["more"]:
        places = ", ".join(p for p in (_place(more["location"]) for more in hit["more"]) if p)
        console.print(Text(f"    also {places}" if places else "", style="dim"))
    if count := hit.get("copy_count", 0):
        copies = "1 more copy" if count == 1 else f"{count} more copies"
        console.print(Text(f"    {copies}: {_folders(hit['copies'], count)}", style="dim"))


def _folders(copies: list[dict[str, Any]], count: int) -> str:
    """Where the first of the copies lie."""
    shown = [printable(copy["path"]) for copy in copies[:_MOST_COPIES]]
    return ", ".join([*shown, "…"] if count > len(shown) else shown)


def _marked(hit: dict[str, Any]) -> Text:
    """The snippet in one paragraph with the matched words in bold."""
    text = Text(hit["snippet"])
    for item in hit["evidence"]:
        if item["type"] == "text":
            text.stylize("bold green", item["start"], item["end"])
    flat = Text("    ")
    for word in re.finditer(r"\S+", text.plain):
        flat.append_text(text[word.start() : word.end()])
        flat.append(" ")
    flat.plain = "".join(c if c.isprintable() else "�" for c in flat.plain)
    return flat


def address(location: dict[str, Any]) -> str:
    """A place as editors and viewers write it behind a path; "" of a whole file."""
    if "page" in location:
        return f":page {location['page']}"
    if "lines" in location:
        first, last = location["lines"]
        return f":{first}" if first == last else f":{first}–{last}"
    return ""


def _place(location: dict[str, Any]) -> str:
    if "page" in location:
        return f"page {location['page']}"
    if "lines" in location:
        first, last = location["lines"]
        lines = f"line {first}" if first == last else f"lines {first}–{last}"
        return f"{location['symbol']}, {lines}" if location.get("symbol") else lines
    return ""


def show_progress(client: Client) -> None:
    """A bar that follows the indexer until nothing waits any more."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[left]}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("Indexing", total=None, left="")
        while True:
            status = client.status()
            totals = status["totals"]
            ready = totals["files"] - totals["pending"]
            eta = status["eta_s"]
            left = f"about {dt.timedelta(seconds=round(eta))} left" if eta else ""
            bar.update(task, total=totals["files"] or None, completed=ready, left=left)
            if status["state"] in ("idle", "paused"):
                break
            time.sleep(0.2)
    done, problems = totals["done"], totals["failed"] + totals["withheld"]
    console.print(
        f"{done} files indexed, {totals['skipped']} skipped, {problems} with problems"
        + (" (`inkling problems`)." if problems + totals["skipped"] else ".")
    )


def show_purged(done: Purged, base: BaseDir) -> None:
    """What is out, and what was proven."""
    files = "1 file is" if done.files == 1 else f"{done.files} files are"
    console.print(f"{files} out of the index.")
    if done.rule:
        console.print(f"Left out from now on by the rule {escape(printable(done.rule))}")
    if done.left:
        console.print("[yellow]These still hold something of it:[/]")
        for name in done.left:
            console.print(f"  {escape(printable(name))}")
        console.print("End what uses them, clear the window's history, and purge again.")
    elif done.words:
        console.print(
            f"None of {done.searched} files below {escape(printable(str(base.root)))} holds any of"
            f" {done.words} words that only it had."
        )
    else:
        console.print("No word was known that only it had; what there was is written anew.")


def show_agents(entries: Sequence[AgentRead]) -> None:
    """One line an answer, newest first."""
    if not entries:
        console.print("No agent was given anything.")
    for entry in entries:
        when = f"{dt.datetime.fromtimestamp(entry.at):%Y-%m-%d %H:%M}"
        line = Text(f"{when}  {entry.tool:9} {entry.characters:>7,} characters  ", style="dim")
        names = [printable(path) for path in entry.files]
        line.append(f"{names[0] if names else ''}", style="bold")
        if len(names) > 1:
            line.append(f" and {len(names) - 1} more")
        console.print(line)


def show_status(status: dict[str, Any]) -> None:
    """Folders, counts, model, space, health."""
    if status["state"] == "stopped":
        console.print("No indexer is running; `inkling add FOLDER` or the window starts one.")
        return
    console.print(f"[bold]{status['state']}[/]")
    for folder in status["folders"]:
        line = Text(printable(folder["path"]), style="bold")
        line.append(
            f"  {folder['done']} indexed, {folder['pending']} waiting, {folder['skipped']} skipped,"
            f" {folder['failed']} failed, {folder['withheld']} withheld",
            style="dim",
        )
        if not folder["online"]:
            line.append("  offline", style="yellow")
        console.print(line)
    if not status["folders"]:
        console.print("No folders yet: `inkling add FOLDER`.")
        return
    totals = status["totals"]
    size = status["index_bytes"] / 1e6
    console.print(f"{totals['files']} files, {totals['units']} places, index {size:.1f} MB")
    _show_model(status["model"])
    _show_seeing((status.get("sight") or {}).get("model"))
    if status["eta_s"]:
        console.print(f"About {dt.timedelta(seconds=round(status['eta_s']))} left")
    for item in status["health"]:
        console.print(f"[yellow]{escape(item['title'])}[/] {escape(item['hint'])}")


def _show_seeing(model: dict[str, Any] | None) -> None:
    """The one that is to see pictures, and how far it is."""
    if model is None:
        return
    seen, pictures = model["seen"], model["pictures"]
    console.print(f"Sees pictures: {escape(model['title'])}, {seen} of {pictures}")
    if seen < pictures and model["seconds_each"]:
        left = dt.timedelta(seconds=round(model["seconds_each"] * (pictures - seen)))
        console.print(f"  About {left} for the rest", style="dim")
    if error := model["error"]:
        console.print(f"[yellow]{escape(error['message'])}[/] {escape(error['hint'])}")


def _show_encoding(told: dict[str, Any]) -> None:
    """Which other machine encodes, and at what rate."""
    if not told.get("address"):
        return
    there, here = told["there"], told["here"]
    console.print(
        f"Encodes at {escape(printable(told['host']))}: {there['encoded']} passages and pictures, "
        f"{there['per_second']:g} a second of late; here {here['encoded']}, {here['per_second']:g}."
    )
    if error := told.get("error"):
        console.print(f"  [yellow]{escape(error['message'])}[/] {escape(error['hint'])}")


def _show_model(model: dict[str, Any]) -> None:
    """The one in use, how it runs, and the one whose index is being built."""
    console.print(f"Model: {escape(model['title'])}")
    _show_encoding(model.get("encoding") or {})
    for note in model.get("notes", ()):
        console.print(f"  {escape(note)}", style="dim")
    if coming := model.get("next"):
        console.print(
            f"Next: {escape(coming['title'])}, {coming['done']} of {coming['total']} files"
        )
        if error := coming["error"]:
            console.print(f"[yellow]{escape(error['message'])}[/] {escape(error['hint'])}")


def show_problems(found: dict[str, Any]) -> None:
    """Files by reason, those that are read in part, and what the rules leave out."""
    rules, partly, pending = found["left_out"], found["partly"], found["pending"]
    if pending := pending - found["counts"].get("partly-read", 0):
        console.print(f"[bold]{pending}[/] {_files(pending)} still to be read.")
    elif not found["problems"] and not partly:
        let_in = " that the rules let in" if rules else ""
        console.print(f"Every file{let_in} is indexed.")
    _show_by_reason(found["problems"], found["counts"])
    if partly:
        console.print("[bold]Read in part[/]: found by what is indexed of them.")
        _show_by_reason(partly, found["counts"])
    if rules:
        _show_rules(rules)


def show_listed(problems: list[dict[str, Any]]) -> None:
    """All that has one reason, or that one rule leaves out."""
    if not problems:
        console.print("Nothing has this reason, or is left out by this rule.")
    for reason in dict.fromkeys(problem["reason"] for problem in problems):
        listed = [problem for problem in problems if problem["reason"] == reason]
        console.print(f"{escape(listed[0]['sentence'])} [dim]({reason})[/]")
        for problem in listed:
            _show_problem(problem)


def _show_problem(problem: dict[str, Any]) -> None:
    path = printable(problem["path"]) + (os.sep if problem.get("folder") else "")
    detail = f": {printable(problem['detail'])}" if problem["detail"] else ""
    console.print(Text(f"    {path}{detail}", style="dim"))


def _show_by_reason(problems: list[dict[str, Any]], counts: dict[str, int]) -> None:
    by_reason: dict[str, list[dict[str, Any]]] = {}
    for problem in problems:
        by_reason.setdefault(problem["reason"], []).append(problem)
    for reason, listed in by_reason.items():
        count = counts.get(reason, len(listed))
        console.print(f"[bold]{count}[/] {escape(listed[0]['sentence'])} [dim]({reason})[/]")
        for problem in listed[:_MOST_LISTED]:
            _show_problem(problem)
        if count > _MOST_LISTED:
            console.print(f"    [dim]… all with --reason {reason}[/]")


def _show_rules(rules: list[dict[str, Any]]) -> None:
    """By kind of rule: how much, what lets it in, and the rules that leave out most."""
    console.print("[bold]Left out by rules[/]: not even their names are found.")
    for reason in dict.fromkeys(rule["reason"] for rule in rules):
        of_reason = [rule for rule in rules if rule["reason"] == reason]
        files, folders = (sum(rule[key] for rule in of_reason) for key in ("files", "folders"))
        sentence, hint = of_reason[0]["sentence"], of_reason[0]["hint"]
        console.print(f"[bold]{_entries(files, folders)}[/] {escape(sentence)} [dim]({reason})[/]")
        console.print(Text(f"    {hint}", style="dim"))
        named = [rule for rule in of_reason if rule["rule"]]
        for rule in named[:_MOST_LISTED]:
            where = f", {printable(rule['source'])}" if rule["source"] else ""
            text = f"    {printable(rule['rule'])}: {_entries(rule['files'], rule['folders'])}"
            console.print(Text(text + where, style="dim"))
        more = f"… {len(named)} rules; " if len(named) > _MOST_LISTED else ""
        by_rule = " or --rule RULE" if named else ""
        console.print(f"    [dim]{more}listed with --reason {reason}{by_rule}[/]")


def _entries(files: int, folders: int) -> str:
    counts = [f"{files} file{'s' * (files != 1)}"] if files or not folders else []
    counts += [f"{folders} folder{'s' * (folders != 1)}"] if folders else []
    return ", ".join(counts)


def _files(count: int) -> str:
    return "file is" if count == 1 else "files are"


#: What each row of an explained query is, in the order an answer is made.
_LANES = {
    "name": "words of its name",
    "text": "exact words",
    "term_coverage": "words anywhere in the file",
    "exact_coverage": "words as they were typed",
    "proximity": "words side by side",
    "sight": "how alike the pictures look",
    "seen": "what is seen on it",
    "dense": "meaning",
    "document": "meaning of the whole file",
    "late": "meaning, word by word",
    "fused": "name, words and meaning together",
    "rescored": "the final order",
}


def show_explanation(answer: dict[str, Any]) -> None:
    """Why a file is, or is not, found."""
    console.print(Text(printable(answer["path"]), style="bold"))
    console.print(f"State: {answer['state']}. {escape(answer.get('sentence', ''))}".rstrip())
    if answer.get("rule"):
        console.print(Text(f"Rule: {printable(answer['rule'])}"))
    if answer.get("detail"):
        console.print(Text(printable(answer["detail"])))
    units = answer.get("units", [])
    for unit in units[:_MOST_UNITS]:
        place = _place({k: v for k, v in unit.items() if v is not None})
        text = printable(" ".join(unit["text"].split()))
        console.print(Text(f"  {place or 'whole'}: {text[:90]}", style="dim"))
    if len(units) > _MOST_UNITS:
        console.print(f"  [dim]… {len(units)} passages in all (--json shows them)[/]")
    if "query" in answer:
        _show_lanes(answer["query"])


def _show_lanes(query: dict[str, Any]) -> None:
    """Rank among files and score in each lane, and what that adds to the final score."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("  found by", "rank", "score", "adds"):
        table.add_column(heading, justify="left" if "by" in heading else "right", no_wrap=True)
    for lane, meaning in _LANES.items():
        place = query.get(lane) or {}
        share = query.get("shares", {}).get(lane)
        table.add_row(
            f"  {meaning}",
            str(place.get("rank", "–")),
            f"{place['score']:.3f}" if place else "–",
            "" if share is None else f"{share:.2f}",
        )
    console.print(table)
    if not query.get("rescored") and not query.get("fused") and not query.get("name"):
        console.print("  This query does not find the file.")
