# NAME PROFILE: its credentials in this shell. NAME: those that you choose. NAME -: clears them.
# An alias of that name would be run in its place. (With "function", one does not matter before, where zsh has read all of this.)
unalias NAME 2>/dev/null || true
function NAME {
    local script
    case " $* " in
        *' -h '* | *' --help '*)
            command daypass env --help
            return
            ;;
    esac
    case "${1-}" in
        '') set -- --pick ;;
        -) set -- --unset ;;
    esac
    script=$(command daypass env --shell SHELL "$@") && eval "$script"
}
