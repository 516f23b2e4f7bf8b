# NAME PROFILE loads its credentials into this shell, NAME lets you pick a role, NAME - clears them.
# An alias of that name would take precedence. ("function" prevents its expansion while zsh reads this.)
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
