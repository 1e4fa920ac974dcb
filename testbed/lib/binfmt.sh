# Emulation of arm64 through binfmt_misc, which is state of the whole machine: registered only if absent, and removed
# by the last run that needs it. A run that uses our registration has a file in its name in $emulation/users.

emulation=$runs/.emulation
binfmt=/proc/sys/fs/binfmt_misc
# The ELF head of an arm64 program, as in QEMU's scripts/qemu-binfmt-conf.sh. F: the interpreter is opened now, so that
# it works in containers, too. P: the program's own argv[0] is kept.
arm64_magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
arm64_mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
arm64_rule=":slipway-aarch64:M::$arm64_magic:$arm64_mask:/usr/bin/qemu-aarch64-static:FP"

register_emulation() {
  mkdir -p "$emulation/users"
  exec 8>"$emulation/lock"
  flock 8
  if [ -e "$emulation/registered" ] || ! in_binfmt 'grep -qs "^interpreter.*aarch64" *'; then
    touch "$emulation/users/${run_state##*/}"
    in_binfmt '[ -e slipway-aarch64 ] || printf %s "$1" >register' "$arm64_rule"
    touch "$emulation/registered"
  fi
  exec 8>&-
}

# release_emulation STATE: for the run with this state directory.
release_emulation() {
  local mine=$emulation/users/${1##*/}
  [ -e "$mine" ] || return 0
  exec 8>"$emulation/lock"
  flock 8
  rm -f "$mine"
  if [ -z "$(ls -A "$emulation/users")" ]; then
    in_binfmt '[ ! -e slipway-aarch64 ] || echo -1 >slipway-aarch64'
    rm -f "$emulation/registered"
  fi
  exec 8>&-
}

# Runs a line of shell in binfmt_misc, mounted for just that long.
in_binfmt() {
  unshare --mount sh -c 'mount -t binfmt_misc binfmt_misc "$1" && cd "$1" && shift && line=$1 && shift && eval "$line"' \
    sh "$binfmt" "$@"
}
