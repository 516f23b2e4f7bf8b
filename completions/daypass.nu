def daypass-complete [words: list<string>] {
    with-env {DAYPASS_COMPLETE: nushell} { ^daypass -- ...$words } | lines | split column "\t" value description
}
$env.config.completions.external.completer = do {
    let others = $env.config.completions.external.completer?
    {|words| if $words.0 == "daypass" { daypass-complete $words } else if $others != null { do $others $words } }
}
