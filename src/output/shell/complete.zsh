_daypass_NAME() {
    words=(daypass env "${(@)words[2,-1]}")
    (( CURRENT++ ))
    _clap_dynamic_completer_daypass
}
compdef _daypass_NAME NAME
