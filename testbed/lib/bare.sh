# A machine without an engine: everything is installed, built and started here.
# Outside of the run's namespaces: fill the cache (that needs the network), make the run's directories, clean up.

. "$testbed/lib/runs.sh"
. "$testbed/lib/binfmt.sh"

with_own_engine() {
  engine=$1
  shift
  [ "$(id -u)" = 0 ] || die "no engine answers (DOCKER_HOST, /var/run/docker.sock), and only root can start one"
  sweep_dead_runs
  fill_cache "$engine"
  export testbed checkout cache runs run_state run_data images engine
  begin_run
  # A PID namespace ends every process when its first one goes; mounts, bridges and ports go with theirs.
  # Should the supervisor be killed, setpriv's signal kills unshare, and unshare's kills the namespace.
  # tini reaps orphans, hands signals on and gives the command the terminal.
  exec node "$testbed/lib/supervise.mjs" "$testbed/lib/end-run.sh" \
    setpriv --pdeathsig KILL unshare --net --mount --pid --fork --kill-child --mount-proc -- \
    tini -- bash "$testbed/lib/inside.sh" "$@"
}
