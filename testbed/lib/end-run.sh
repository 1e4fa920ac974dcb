# Removes what the run in $run_state left after its processes.
set -euo pipefail

. "$testbed/lib/common.sh"
. "$testbed/lib/runs.sh"
. "$testbed/lib/binfmt.sh"

# Another Ctrl-C does not leave it half done.
trap '' INT TERM HUP
release_emulation "$run_state"
remove_run "$run_state"
