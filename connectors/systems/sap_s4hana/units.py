"""SAP's usual units of measure as UN/ECE Recommendation 20 codes them."""

UNITS = {
    "PC": "H87",
    "ST": "H87",
    "EA": "EA",
    "SET": "SET",
    "PR": "PR",
    "KG": "KGM",
    "G": "GRM",
    "TO": "TNE",
    "L": "LTR",
    "ML": "MLT",
    "M": "MTR",
    "MM": "MMT",
    "CM": "CMT",
    "KM": "KMT",
    "M2": "MTK",
    "M3": "MTQ",
    "H": "HUR",
    "HUR": "HUR",
    "DAY": "DAY",
    "TAG": "DAY",
}
"""Units that a site has defined itself are not here: their `unit` is null, and `sourceUnit` has their name."""
