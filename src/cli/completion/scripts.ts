/** What each shell is given to complete the program's command lines with. All of them ask the program: `slipway __complete`. */
export const scripts: Readonly<Record<string, string>> = {
  bash: `# bash completion for slipway; load it with: source <(slipway completion bash)
_slipway_complete() {
    # bash splits words at = and : as well; here they are put together again.
    local -a args=()
    local rest="\${COMP_LINE:0:COMP_POINT}" word trimmed at
    for ((at = 0; at <= COMP_CWORD; at++)); do
        word="\${COMP_WORDS[at]}"
        trimmed="\${rest#"\${rest%%[![:space:]]*}"}"
        if ((at > 0)) && [[ "$trimmed" == "$rest" && -n "$word" ]]; then
            args[\${#args[@]}-1]+="$word"
        else
            args+=("$word")
        fi
        rest="\${trimmed#"$word"}"
    done
    local current="\${args[\${#args[@]}-1]}"
    local out directive
    out="$("\${args[0]}" __completeNoDesc "\${args[@]:1}" 2>/dev/null)" || return
    directive="\${out##*:}"
    out="\${out%:*}"
    COMPREPLY=()
    [[ "$current" == -*=* ]] && current="\${current#*=}"
    # Only what stands behind the last of them is replaced.
    local kept="\${current%"\${current##*[=:]}"}"
    local candidate
    while IFS= read -r candidate; do
        [[ -n "$candidate" && "$candidate" == "$current"* ]] && COMPREPLY+=("\${candidate#"$kept"}")
    done <<<"$out"
    if ((directive & 16)); then
        compopt -o filenames 2>/dev/null
        while IFS= read -r candidate; do
            COMPREPLY+=("$candidate")
        done < <(compgen -d -- "$current")
    fi
    ((directive & 2)) && compopt -o nospace 2>/dev/null
    if ((directive & 4)); then
        compopt +o default 2>/dev/null
    fi
    return 0
}
complete -o default -F _slipway_complete slipway
`,
  zsh: `#compdef slipway
# zsh completion for slipway; load it with: source <(slipway completion zsh)
_slipway() {
    local -a lines candidates
    local line directive prefix
    lines=("\${(@f)$("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
    directive="\${lines[-1]#:}"
    [[ "$directive" == <-> ]] || return 1
    for line in "\${(@)lines[1,-2]}"; do
        [[ -n "$line" ]] || continue
        # _describe takes name:description.
        line="\${line//:/\\\\:}"
        candidates+=("\${line/$'\\t'/:}")
    done
    if [[ "\${words[CURRENT]}" == -*=* ]]; then
        prefix="\${words[CURRENT]%%=*}="
        compset -P "\${(q)prefix}"
    fi
    local -a options
    ((directive & 2)) && options+=(-S '')
    if ((\${#candidates})); then
        _describe slipway candidates "\${options[@]}"
    elif ((directive & 16)); then
        _path_files -/
    elif ! ((directive & 4)); then
        _files
    fi
}
if [[ "\${funcstack[1]}" == _slipway ]]; then
    _slipway
else
    compdef _slipway slipway
fi
`,
  fish: `# fish completion for slipway; load it with: slipway completion fish | source
function __slipway_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
    test (count $lines) -gt 0; or return
    set -l directive (string replace -r '^:' '' -- $lines[-1])
    set -e lines[-1]
    set -l prefix (string match -r -- '^-[^=]*=' "$current")
    if test (count $lines) -gt 0
        for line in $lines
            echo "$prefix$line"
        end
    else if test (math "bitand($directive, 16)") -ne 0
        __fish_complete_directories "$current" ''
    else if test (math "bitand($directive, 4)") -eq 0
        __fish_complete_path (string replace -r -- '^-[^=]*=' '' "$current") ''
    end
end
complete -c slipway -e
complete -c slipway -f -a '(__slipway_complete)'
`,
};
