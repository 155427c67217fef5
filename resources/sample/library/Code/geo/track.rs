//! Recorded tracks: how far, how fast, and fewer points without losing the shape.

const EARTH_RADIUS_M: f64 = 6_371_008.8;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fix {
    pub lat: f64,
    pub lon: f64,
    pub unix_s: i64,
}

/// Great-circle distance in metres (haversine).
pub fn distance(a: Fix, b: Fix) -> f64 {
    let (lat1, lat2) = (a.lat.to_radians(), b.lat.to_radians());
    let dlat = lat2 - lat1;
    let dlon = (b.lon - a.lon).to_radians();
    let h = (dlat / 2.0).sin().powi(2) + lat1.cos() * lat2.cos() * (dlon / 2.0).sin().powi(2);
    2.0 * EARTH_RADIUS_M * h.sqrt().asin()
}

/// Metres per second between neighbours; a receiver that jumps gives absurd values.
pub fn speeds(track: &[Fix]) -> Vec<f64> {
    track
        .windows(2)
        .map(|pair| {
            let seconds = (pair[1].unix_s - pair[0].unix_s).max(1) as f64;
            distance(pair[0], pair[1]) / seconds
        })
        .collect()
}

/// Douglas-Peucker: drop points that lie within `tolerance_m` of the simplified line.
pub fn simplify(track: &[Fix], tolerance_m: f64) -> Vec<Fix> {
    if track.len() < 3 {
        return track.to_vec();
    }
    let (first, last) = (track[0], track[track.len() - 1]);
    let (index, farthest) = track[1..track.len() - 1]
        .iter()
        .enumerate()
        .map(|(i, &fix)| (i + 1, offset(fix, first, last)))
        .fold((0, 0.0), |best, next| if next.1 > best.1 { next } else { best });
    if farthest <= tolerance_m {
        return vec![first, last];
    }
    let mut kept = simplify(&track[..=index], tolerance_m);
    kept.pop();
    kept.extend(simplify(&track[index..], tolerance_m));
    kept
}

/// Distance of a point from a chord on a local plane: good enough below a few kilometres.
fn offset(fix: Fix, from: Fix, to: Fix) -> f64 {
    let scale = fix.lat.to_radians().cos();
    let plane = |f: Fix| ((f.lon - from.lon) * scale, f.lat - from.lat);
    let ((px, py), (qx, qy)) = (plane(fix), plane(to));
    let length = (qx * qx + qy * qy).sqrt();
    if length == 0.0 {
        return distance(fix, from);
    }
    ((px * qy - py * qx).abs() / length).to_radians() * EARTH_RADIUS_M
}
