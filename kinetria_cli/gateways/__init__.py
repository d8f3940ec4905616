"""Everything that talks to the outside: databases, migrations, engines, HTTP."""
