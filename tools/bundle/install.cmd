@echo off
rem Finds a Python that the bundle has wheels for, and lets it install. Set PYTHON to choose one.
rem No arguments within parentheses: one in a path, as of C:\tools(1), would end them.
setlocal
if defined PYTHON goto chosen
for %%v in (3.14 3.13 3.12 3.11) do (
    py -%%v -c "" >nul 2>nul && set "VERSION=%%v" && goto found
)
set "PYTHON=python"
python -c "import sys; sys.exit(sys.version_info < (3, 11))" >nul 2>nul && goto chosen
echo install: no Python 3.11 or later was found; install one from python.org, or set PYTHON to its path 1>&2
exit /b 1

:found
py -%VERSION% "%~dp0install.py" %*
exit /b %errorlevel%

:chosen
"%PYTHON%" "%~dp0install.py" %*
exit /b %errorlevel%
