# shellcheck shell=bash
# What the launch scripts share: sourced by each of them, never run.
# Nothing in it comes from the data: paths and values are read from files, and never evaluated.
set -euo pipefail

bundle=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
python=${PYTHON:-python3}

say() { printf '%s\n' "$*" >&2; }

read_environment() {
  local line name
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      '' | '#'*) ;;
      *=*)
        name=${line%%=*}
        if [[ ! $name =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]]; then
          say "error: environment.env sets what is no variable"
          exit 2
        fi
        if [ -z "${!name+set}" ]; then export "$name=${line#*=}"; fi
        ;;
    esac
  done <"$bundle/environment.env"
  export ASRDQ_BUNDLE=$bundle
  export ASRDQ_RUN_DIR=${ASRDQ_RUN_DIR:-$bundle.run}
}

has_asrdq() { "$python" -c 'import asrdq.handoff' >/dev/null 2>&1; }

# Is everything as it was handed off? Nothing is read, and nothing runs, before this says so.
verify() {
  local more=()
  if [ "$1" = files ]; then more+=(--no-audio); fi
  if [ -n "${ASRDQ_BUNDLE_ID:-}" ]; then more+=(--id "$ASRDQ_BUNDLE_ID"); fi
  if has_asrdq; then
    "$python" -m asrdq handoff verify "$bundle" ${more[@]+"${more[@]}"}
  else
    "$python" "$bundle/verify.py" "$bundle" ${more[@]+"${more[@]}"}
  fi
}

# Sets `trainer` to the words that start the training, without the Python or torchrun before them.
# shellcheck disable=SC2034 # those who source this use it
find_trainer() {
  local examples=${NEMO_EXAMPLES:-/opt/NeMo/examples}/asr/speech_to_text_finetune.py
  if "$python" -m asrdq train --help >/dev/null 2>&1; then
    trainer=(-m asrdq train "$bundle" --backend "$ASRDQ_BACKEND")
  elif [ "$ASRDQ_BACKEND" = nemo ] && [ "$ASRDQ_PLAIN_NEMO" = yes ] && [ -f "$examples" ]; then
    trainer=("$examples" --config-path "$bundle/config" --config-name nemo)
  else
    say "error: nothing here can train this bundle: 'asrdq train' is not installed."
    if [ "$ASRDQ_BACKEND" = nemo ] && [ "$ASRDQ_PLAIN_NEMO" = no ]; then
      say "NeMo's own script would leave out parts of the recipe: README.md names them."
    fi
    say "→ pip install 'asrdq[train]', or name another Python with PYTHON=…"
    exit 3
  fi
}

# Runs the trainer. What stops this script stops it too: it ends its step and writes a checkpoint.
run_trainer() {
  local child code=0 stopped=
  "$@" &
  child=$!
  trap 'stopped=130; kill -TERM "$child" 2>/dev/null || :' INT
  trap 'stopped=143; kill -TERM "$child" 2>/dev/null || :' TERM
  while :; do
    wait "$child" && code=0 || code=$?
    if ! kill -0 "$child" 2>/dev/null; then break; fi # a signal came, and it still runs
  done
  exit "${stopped:-$code}"
}

# The machine is paid for as long as it runs, whether it trains or not: stop it when all is done.
finish() {
  local code=$?
  trap - EXIT
  if [ -z "${ASRDQ_INSIDE:-}" ] && [ "$code" -ne 130 ]; then
    bash "$bundle/launch/stop.sh" || say "! the machine was not stopped"
  fi
  exit "$code"
}

# What to verify: `all`, or `files` without the audio.
begin() {
  trap finish EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  verify "$1"
  read_environment
  mkdir -p -- "$ASRDQ_RUN_DIR"
}
