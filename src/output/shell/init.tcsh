alias NAME 'eval "`daypass env --dp --shell tcsh \!*`"'
