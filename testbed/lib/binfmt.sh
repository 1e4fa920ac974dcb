# Emulation of arm64 through binfmt_misc, which is state of the whole machine: registered only if absent, and removed
# by the last run that needs it. A run that uses our registration has a file in its name in $emulation/users.

emulation=$runs/.emulation
binfmt=/proc/sys/fs/binfmt_misc
ours=$binfmt/slipway-aarch64
# The ELF head of an arm64 program, as in QEMU's scripts/qemu-binfmt-conf.sh. F: the interpreter is opened now, so that
# it works in containers, too. P: the program's own argv[0] is kept.
arm64_magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
arm64_mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
arm64_rule=":slipway-aarch64:M::$arm64_magic:$arm64_mask:/usr/bin/qemu-aarch64-static:FP"

# In the run's mount namespace. Newer kernels forget what is registered when the last such mount is gone, so it stays.
register_emulation() {
  mkdir -p "$emulation/users"
  mount -t binfmt_misc binfmt_misc "$binfmt" || return
  exec 8>"$emulation/lock"
  flock 8
  touch "$emulation/users/${run_state##*/}"
  if [ -e "$ours" ]; then
    :
  elif grep -qs '^interpreter.*aarch64' "$binfmt"/*; then
    rm "$emulation/users/${run_state##*/}"
  else
    printf %s "$arm64_rule" >"$binfmt/register"
  fi
  exec 8>&-
}

# release_emulation STATE: outside, for the run with this state directory.
release_emulation() {
  local mine=$emulation/users/${1##*/}
  [ -e "$mine" ] || return 0
  exec 8>"$emulation/lock"
  flock 8
  rm -f "$mine"
  [ -n "$(ls -A "$emulation/users")" ] || unshare --mount -- sh -c \
    'mount -t binfmt_misc binfmt_misc "$1" && [ ! -e "$2" ] || echo -1 >"$2"' sh "$binfmt" "$ours"
  exec 8>&-
}
