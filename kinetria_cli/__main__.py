"""`python -m kinetria_cli`: how `up` starts the app service, whatever the PATH says."""

from kinetria_cli.app import main

if __name__ == "__main__":
    main()
