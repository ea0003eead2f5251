#!/bin/bash
# Plans a push, keeps the plan as a file, and writes it as Markdown into the job's summary.
set -uo pipefail
muster="$GITHUB_ACTION_PATH/../bin/muster"
"$muster" push plan --source "$SOURCE" --to "$TARGET" --allow-removals "${ALLOW:-0}" --detailed-exitcode \
  --format markdown -o "$RUNNER_TEMP/muster-plan.json" > "$RUNNER_TEMP/muster-plan.md"
code=$?
cat "$RUNNER_TEMP/muster-plan.md" >> "$GITHUB_STEP_SUMMARY"
case $code in
  0) echo 'changes=false' >> "$GITHUB_OUTPUT" ;;
  2) echo 'changes=true' >> "$GITHUB_OUTPUT" ;;
  6) { echo 'changes=false'; echo 'stopped=true'; } >> "$GITHUB_OUTPUT" ; exit 6 ;;
  *) exit "$code" ;;
esac
