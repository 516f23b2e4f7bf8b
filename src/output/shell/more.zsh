function _daypass_or_command() {
    local at
    if (( $words[(I)exec] )); then
        at=$(DAYPASS_COMPLETE=command daypass -- "${(@)words[1,CURRENT]}" 2>/dev/null)
    fi
    if [[ -n $at ]]; then
        shift $at words
        (( CURRENT -= at ))
        _normal
    else
        words=("${(@Q)words}")
        _clap_dynamic_completer_daypass
    fi
}
compdef _daypass_or_command daypass
# An autoloaded file is called for the first completion, which would otherwise be empty.
[[ ${funcstack[1]-} == _daypass ]] && _daypass_or_command
true
