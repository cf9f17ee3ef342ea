@echo off
rem Finds a Python that the bundle has wheels for, and lets it install. Set PYTHON to choose one.
setlocal
if defined PYTHON (
    "%PYTHON%" "%~dp0install.py" %*
    goto end
)
for %%v in (3.14 3.13 3.12 3.11) do (
    py -%%v -c "" >nul 2>nul && (
        py -%%v "%~dp0install.py" %*
        goto end
    )
)
python -c "import sys; sys.exit(sys.version_info < (3, 11))" >nul 2>nul && (
    python "%~dp0install.py" %*
    goto end
)
echo install: no Python 3.11 or later was found; install one from python.org, or set PYTHON to its path 1>&2
exit /b 1
:end
exit /b %errorlevel%
