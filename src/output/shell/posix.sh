# NAME PROFILE: its credentials in this shell. NAME: those that you choose. NAME -: clears them.
NAME() {
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
