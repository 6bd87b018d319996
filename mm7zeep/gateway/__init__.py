"""The MM7 service: applications in front, handsets behind. Needs the extra ``gateway``."""
