# A machine without an engine: everything is installed, built and started here.
# Outside of the run's namespaces: fill the cache (that needs the network), make the run's directories, clean up.

. "$testbed/lib/cache.sh"
. "$testbed/lib/runs.sh"
. "$testbed/lib/binfmt.sh"

with_own_engine() {
  engine=$1
  shift
  [ "$(id -u)" = 0 ] || die "no engine answers (DOCKER_HOST, /var/run/docker.sock), and only root can start one"
  sweep_dead_runs
  fill_cache "$engine"
  begin_run
  trap 'end_run' EXIT
  # A signal is passed on and the command awaited: what was set up is taken down after it.
  local interrupted status
  trap 'interrupted=1; pass_on TERM' TERM
  trap 'interrupted=1; pass_on HUP' HUP
  trap 'interrupted=1; [ -t 0 ] || pass_on INT' INT

  # A PID namespace ends every process when its first one goes; mounts, bridges and ports go with theirs.
  # Should this shell be killed, setpriv's signal kills unshare, and unshare's kills the namespace.
  export testbed checkout cache runs run_state run_data images engine
  env --default-signal=INT,QUIT setpriv --pdeathsig KILL \
    unshare --net --mount --pid --fork --kill-child --mount-proc -- \
    bash "$testbed/lib/inside.sh" "$@" <&0 &
  inside=$!
  while :; do
    interrupted=
    status=0
    wait "$inside" || status=$?
    [ -n "$interrupted" ] || break
  done
  exit "$status"
}

# pass_on SIGNAL: to the namespace's first process, which is unshare's only child.
pass_on() {
  local first
  # The line has no end, and read says so.
  read -r first _ <"/proc/$inside/task/$inside/children" || true
  [ -z "$first" ] || kill "-$1" "$first" 2>/dev/null || true
}
