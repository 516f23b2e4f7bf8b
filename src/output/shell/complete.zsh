_daypass_NAME() {
    words=(daypass env "${(@)words[2,-1]}")
    (( CURRENT++ ))
    _daypass_or_command
}
compdef _daypass_NAME NAME
