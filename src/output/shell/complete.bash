_daypass_NAME() {
    COMP_WORDS=(daypass env "${COMP_WORDS[@]:1}")
    COMP_CWORD=$((COMP_CWORD + 1))
    _daypass daypass "$2" "$3"
}
complete -o bashdefault -F _daypass_NAME NAME
