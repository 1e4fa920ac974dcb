# A run's directories, and how the next run knows that their owner is dead: the owner holds a lock on file descriptor 9.
# State (sockets, the lock) has a short path, since a socket's address has room for 107 bytes. Data lies beside the
# cache, on one file system with it, so that a run can take its registry's blobs as hard links.

runs=/run/slipway-testbed

begin_run() {
  mkdir -p "$runs" "$cache/runs"
  run_state=$(mktemp -d "$runs/XXXXXX")
  # Other users may pass to the engine's socket, which says by itself who may use it.
  chmod 711 "$run_state"
  run_data=$cache/runs/${run_state##*/}
  printf '%s\n' "$run_data" >"$run_state/data"
  # Taken before it has its name: nobody may find it free.
  exec 9>"$run_state/lock.new"
  flock 9
  mv "$run_state/lock.new" "$run_state/lock"
  mkdir "$run_data"
  control_groups >"$run_state/cgroups"
}

# Root of the control groups of a run's pods.
pods_group_of() {
  printf 'slipway-pods-%s\n' "${1##*/}"
}

end_run() {
  release_emulation "$run_state"
  remove_run "$run_state"
}

# What a killed testbed left: its processes, mounts and network went with their namespaces.
sweep_dead_runs() {
  local state data
  for state in "$runs"/*/; do
    state=${state%/}
    [ -e "$state/lock" ] || continue
    if flock --nonblock "$state/lock" true; then
      say "cleaning up after a testbed that was killed (${state##*/})"
      release_emulation "$state"
      remove_run "$state"
    fi
  done
  for data in "$cache"/runs/*/; do
    [ ! -d "$data" ] || [ -e "$runs/$(basename "$data")" ] || rm -rf -- "$data"
  done
}

remove_run() {
  local data
  data=$(cat "$1/data")
  remove_control_groups "$1" "$data"
  rm -rf -- "$data" "$1"
}

# Control groups outlive their processes. Those of containers carry the container's id, as folders of the data do.
# Others (a builder's --cgroup-parent) are known by not having been there; while another run goes on, they may be its.
remove_control_groups() {
  local id
  control_groups -path "*/$(pods_group_of "$1")*" | remove_empty
  for id in "$2"/docker/containers/* "$2"/podman/root/overlay-containers/*; do
    [ ! -d "$id" ] || control_groups -path "*${id##*/}*" | remove_empty
  done
  if [ "$(ls "$runs")" = "${1##*/}" ] && [ -e "$1/cgroups" ]; then
    control_groups | { grep -vxFf "$1/cgroups" || true; } | remove_empty
    # The engines' own, which the first of two runs beside each other leaves to the second.
    control_groups \( -path '*/docker*' -o -path '*/libpod_parent*' \) | remove_empty
  fi
}

# control_groups [CONDITION…]: deepest first.
control_groups() {
  find /sys/fs/cgroup -mindepth 2 -depth -type d "$@"
}

remove_empty() {
  xargs --no-run-if-empty rmdir 2>/dev/null || true
}
