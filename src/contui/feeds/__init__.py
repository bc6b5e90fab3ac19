"""Supervised flows from an engine into the store. Feeds hold the policy; engines the formats."""
