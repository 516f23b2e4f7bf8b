# NAME PROFILE makes this shell use it, NAME lets you pick a role, NAME - clears it.
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
    script=$(command daypass env --dp --shell SHELL "$@") && eval "$script"
}
