_daypass() {
    local at offset typed=${COMP_WORDS[COMP_CWORD]}
    if [[ " ${COMP_WORDS[*]:0:COMP_CWORD} " == *' exec '* ]]; then
        at=$(DAYPASS_COMPLETE=command daypass -- "${COMP_WORDS[@]:0:COMP_CWORD+1}" 2>/dev/null)
    fi
    if [[ $at ]]; then
        # The command of exec: use bash-completion if it is loaded, else commands and files.
        compopt +o nosort 2>/dev/null
        for offset in _comp_command_offset _command_offset; do
            if declare -F "$offset" >/dev/null; then
                "$offset" "$at"
                return
            fi
        done
        COMPREPLY=()
        if ((COMP_CWORD == at)) && [[ $2 != */* ]]; then
            COMPREPLY=($(compgen -c -- "$2"))
        else
            compopt -o default 2>/dev/null || COMPREPLY=($(compgen -f -- "$2"))
        fi
        return
    fi
    _clap_complete_daypass "$1" "${2//\\/}" "$3"
    # Names with special characters are quoted unless a quote was typed.
    if [[ $typed != [\"\']* && ${COMPREPLY-} ]]; then
        local IFS=$'\n'
        COMPREPLY=($(printf '%q\n' "${COMPREPLY[@]}"))
    fi
}
complete -o bashdefault -o nosort -F _daypass daypass 2>/dev/null || complete -o bashdefault -F _daypass daypass
