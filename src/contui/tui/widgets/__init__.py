"""Generic widgets on Textual's line API: they take data and post messages, and know no engine."""
