_clap_complete_daypass() {
    local IFS=$'\013'
    local _CLAP_COMPLETE_INDEX=${COMP_CWORD}
    local _CLAP_COMPLETE_COMP_TYPE=${COMP_TYPE}
    if compopt +o nospace 2> /dev/null; then
        local _CLAP_COMPLETE_SPACE=false
    else
        local _CLAP_COMPLETE_SPACE=true
    fi
    local words=("${COMP_WORDS[@]}")
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        words[COMP_CWORD]="$2"
    fi
    COMPREPLY=( $( \
        _CLAP_IFS="$IFS" \
        _CLAP_COMPLETE_INDEX="$_CLAP_COMPLETE_INDEX" \
        _CLAP_COMPLETE_COMP_TYPE="$_CLAP_COMPLETE_COMP_TYPE" \
        _CLAP_COMPLETE_SPACE="$_CLAP_COMPLETE_SPACE" \
        DAYPASS_COMPLETE="bash" \
        "daypass" -- "${words[@]}" \
    ) )
    if [[ $? != 0 ]]; then
        unset COMPREPLY
    elif [[ $_CLAP_COMPLETE_SPACE == false ]] && [[ "${COMPREPLY-}" =~ [=/:]$ ]]; then
        compopt -o nospace
    fi
}
if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -o nospace -o bashdefault -o nosort -F _clap_complete_daypass daypass
else
    complete -o nospace -o bashdefault -F _clap_complete_daypass daypass
fi
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
