# azd runs this: see docs/deploy.md. Arguments go on, so --dry-run works where the step has one.
$ErrorActionPreference = 'Stop'
Set-Location (Join-Path $PSScriptRoot '../..')
$python = if ($env:PYTHON) { $env:PYTHON } else { 'python' }
& $python -m scripts.deployment before-provision @args
exit $LASTEXITCODE
