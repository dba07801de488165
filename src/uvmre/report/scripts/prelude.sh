#!/usr/bin/env bash
# An MRE of a bug of uv, as `uvmre report --format script` writes it; `uvmre run FILE` makes the MRE again.
#
#   TITLE
#
# It writes the files into a new folder (the argument, or a temporary one) and runs `run.sh` there.
# Exit code 0: the symptom shows. 1: it does not. 125: cannot tell.
# shellcheck disable=SC2016 # a name is what it is
set -eu
trap 'exit 125' EXIT
folder=${1:-}
if [ -z "$folder" ]; then folder=$(mktemp -d "${TMPDIR:-/tmp}/mre.XXXXXX"); fi
mkdir -p -- "$folder"
folder=$(cd -- "$folder" && pwd -P)
if [ -n "$(ls -A -- "$folder")" ]; then
  echo "error: $folder is not empty" >&2
  exit 125
fi
echo "writing $folder" >&2

file() { # MODE KIND PATH
  mkdir -p -- "$(dirname -- "$folder/$3")"
  case $2 in
    base64) base64 -d ;;
    text) cat ;;
    cut) # a heredoc ends with a newline, and the file does not
      IFS= read -r -d '' text || true
      printf %s "${text%$'\n'}"
      ;;
  esac >"$folder/$3"
  chmod "$1" "$folder/$3"
}
