# NAME PROFILE: its credentials in this shell. NAME: the profiles. NAME -: clears them.
NAME() {
    local script
    case " $* " in
        *' -h '* | *' --help '*)
            command daypass env --help
            return
            ;;
    esac
    case "${1-}" in
        '') command daypass list --profiles ;;
        -) script=$(command daypass env --unset --shell SHELL) && eval "$script" ;;
        *) script=$(command daypass env --shell SHELL "$@") && eval "$script" ;;
    esac
}
