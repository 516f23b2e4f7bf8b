# NAME PROFILE makes this shell use it, NAME lets you pick a role, NAME - clears it.
function NAME {
    if ($args -contains '-h' -or $args -contains '--help') { daypass env --help; return }
    $script = daypass env --dp --shell powershell @args | Out-String
    if ($LASTEXITCODE -eq 0) { Invoke-Expression $script }
}
Register-ArgumentCompleter -CommandName NAME -ScriptBlock {
    param($commandName, $parameterName, $wordToComplete)
    $env:DAYPASS_COMPLETE = 'powershell'
    try { daypass -- daypass env $wordToComplete | ForEach-Object { $_.Split("`t")[0] } }
    finally { Remove-Item Env:DAYPASS_COMPLETE }
}
