#!/usr/bin/env bash
# Keeps seven daily, four weekly and twelve monthly snapshots of a folder; deletes the others.
set -euo pipefail

source_dir=${1:?usage: rotate.sh SOURCE TARGET}
target_dir=${2:?usage: rotate.sh SOURCE TARGET}
today=$(date +%F)

snapshot() {
    local newest
    newest=$(find "$target_dir" -maxdepth 1 -type d -name '????-??-??' | sort | tail -n 1)
    # Unchanged files become hard links to the newest snapshot and take no room.
    rsync -a --delete ${newest:+--link-dest="$newest"} "$source_dir/" "$target_dir/$today.part/"
    mv "$target_dir/$today.part" "$target_dir/$today"
}

keep() {
    local day=$1 age
    age=$(( ($(date -d "$today" +%s) - $(date -d "$day" +%s)) / 86400 ))
    (( age < 7 )) && return 0
    (( age < 28 )) && [[ $(date -d "$day" +%u) == 1 ]] && return 0
    (( age < 366 )) && [[ $day == *-01 ]]
}

prune() {
    local folder
    for folder in "$target_dir"/????-??-??; do
        [[ -d $folder ]] || continue
        keep "$(basename "$folder")" || rm -rf -- "$folder"
    done
}

snapshot
prune
