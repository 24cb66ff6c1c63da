"""Where people live and what they are called: Finnish, Spanish, Afrikaans and English names with their towns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Town:
    """A town, where it is, and the first digits of its postal codes."""

    name: str
    province: str
    latitude: float
    longitude: float
    postal_prefix: str


@dataclass(frozen=True, slots=True)
class Region:
    """People of one language in one country, and the words that their businesses put around a name."""

    language: str
    country: str
    currency: str
    # Units of the currency for one euro, to the precision of a price tag.
    per_euro: float
    timezone: str
    postal_digits: int
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    streets: tuple[str, ...]
    businesses: tuple[str, ...]
    # None of these is given to a subscriber: 000 follows the operator's prefix.
    phone_prefixes: tuple[str, ...]
    towns: tuple[Town, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_SOUTH_AFRICAN_TOWNS = (
    Town("Cape Town", "Western Cape", -33.925, 18.424, "80"),
    Town("Stellenbosch", "Western Cape", -33.932, 18.860, "76"),
    Town("George", "Western Cape", -33.963, 22.461, "65"),
    Town("Johannesburg", "Gauteng", -26.204, 28.047, "20"),
    Town("Pretoria", "Gauteng", -25.747, 28.229, "00"),
    Town("Durban", "KwaZulu-Natal", -29.858, 31.022, "40"),
    Town("Gqeberha", "Eastern Cape", -33.961, 25.615, "60"),
    Town("Bloemfontein", "Free State", -29.118, 26.214, "93"),
)
_SOUTH_AFRICAN_PHONES = ("+27 82 000", "+27 83 000", "+27 72 000", "+27 21 000")

FINNISH = Region(
    language="fi",
    country="FI",
    currency="EUR",
    per_euro=1,
    timezone="Europe/Helsinki",
    postal_digits=5,
    first_names=_words(
        """Aino Anna Antti Eero Eeva Elina Emilia Hanna Heikki Helmi Ilkka Janne Jari Johanna Juha Jukka Kaisa Kari
        Katja Kirsi Lauri Leena Liisa Marja Markku Matti Mika Mikko Minna Niina Olli Outi Paavo Pekka Petri Päivi Riikka
        Sami Sanna Sari Satu Seppo Sini Tarja Teemu Tiina Timo Tuomas Veikko Ville Väinö Yrjö"""
    ),
    last_names=_words(
        """Aalto Ahonen Hakala Hämäläinen Heikkilä Heikkinen Heinonen Hirvonen Järvinen Kallio Karjalainen Kinnunen
        Koivisto Korhonen Koskinen Laaksonen Laine Laitinen Lehtinen Lehtonen Leppänen Lindholm Mäkelä Mäkinen Manninen
        Mattila Mustonen Mäenpää Nieminen Niskanen Nurmi Ojala Pitkänen Rantanen Räsänen Saarinen Salminen Salonen
        Savolainen Turunen Tuominen Vainio Virtanen Väisänen Ylönen"""
    ),
    streets=("Teollisuuskatu", "Varastotie", "Konepajankuja", "Rantatie", "Hämeentie", "Kauppakatu", "Sorsatie"),
    businesses=("{} Auto Oy", "Autopurkaamo {}", "{} Varaosat Oy", "Autotalo {}", "Autohuolto {} Ky"),
    phone_prefixes=("+358 40 000", "+358 44 000", "+358 45 000", "+358 50 000"),
    towns=(
        Town("Helsinki", "Uusimaa", 60.170, 24.938, "00"),
        Town("Espoo", "Uusimaa", 60.205, 24.655, "02"),
        Town("Vantaa", "Uusimaa", 60.294, 25.040, "01"),
        Town("Tampere", "Pirkanmaa", 61.498, 23.761, "33"),
        Town("Turku", "Varsinais-Suomi", 60.451, 22.267, "20"),
        Town("Jyväskylä", "Keski-Suomi", 62.242, 25.747, "40"),
        Town("Oulu", "Pohjois-Pohjanmaa", 65.012, 25.465, "90"),
        Town("Lappeenranta", "Etelä-Karjala", 61.058, 28.187, "53"),
    ),
)
SPANISH = Region(
    language="es",
    country="ES",
    currency="EUR",
    per_euro=1,
    timezone="Europe/Madrid",
    postal_digits=5,
    first_names=_words(
        """Adrián Alba Alejandro Ana Andrés Ángel Antonio Beatriz Begoña Carlos Carmen Cristina Daniel David Diego Elena
        Fernando Francisco Gonzalo Inés Íñigo Isabel Javier Jesús Joaquín Jorge José Juan Laura Lucía Luis Manuel Marta
        María Miguel Mónica Nuria Pablo Paula Pilar Rafael Raquel Rocío Rubén Sergio Sofía Teresa Vicente"""
    ),
    last_names=_words(
        """Aguilar Alonso Álvarez Blanco Cabrera Calvo Castillo Castro Cortés Delgado Díaz Domínguez Fernández Flores
        García Gil Gómez González Gutiérrez Hernández Herrera Ibáñez Iglesias Jiménez León López Lozano Marín Martín
        Martínez Molina Morales Moreno Muñoz Navarro Núñez Ortega Ortiz Peña Pérez Ramírez Ramos Rodríguez Romero Rubio
        Ruiz Sánchez Santos Sanz Serrano Suárez Torres Vázquez Vega"""
    ),
    streets=("Calle Mayor", "Avenida de la Industria", "Calle del Taller", "Camino Viejo", "Calle Real", "Ronda Norte"),
    businesses=("Automóviles {}", "Desguaces {}", "Talleres {} S.L.", "Recambios {}", "{} Motor S.L."),
    phone_prefixes=("+34 600 000", "+34 611 000", "+34 622 000", "+34 910 000"),
    towns=(
        Town("Madrid", "Comunidad de Madrid", 40.417, -3.704, "28"),
        Town("Barcelona", "Cataluña", 41.387, 2.170, "08"),
        Town("Valencia", "Comunidad Valenciana", 39.470, -0.377, "46"),
        Town("Sevilla", "Andalucía", 37.389, -5.984, "41"),
        Town("Málaga", "Andalucía", 36.721, -4.421, "29"),
        Town("Zaragoza", "Aragón", 41.649, -0.887, "50"),
        Town("A Coruña", "Galicia", 43.362, -8.411, "15"),
        Town("Bilbao", "País Vasco", 43.263, -2.935, "48"),
    ),
)
AFRIKAANS = Region(
    language="af",
    country="ZA",
    currency="ZAR",
    per_euro=20,
    timezone="Africa/Johannesburg",
    postal_digits=4,
    first_names=_words(
        """Adriaan Anneke Annelie Anri Bertus Carel Chané Charl Corné Danie Deon Elmarie Elsabé Esmé Francois Gerhard
        Gert Hannes Hendrik Hettie Ilse Jaco Jacobus Jannie Johan Karin Kobus Koos Lizelle Louw Magda Marietjie Marlene
        Nico Pieter Reinette Riaan Rian Ronel Ruan Schalk Stefan Sunette Theuns Wessel Wilma Zelda"""
    ),
    last_names=(
        *_words(
            """Barnard Bezuidenhout Booysen Botes Botha Brits Coetzee Cronjé Engelbrecht Erasmus Fourie Grobler Jordaan
        Joubert Kruger Labuschagne Lombard Lourens Malan Marais Meyer Mostert Nel Oosthuizen Pienaar Potgieter Pretorius
        Roux Smit Snyman Steenkamp Steyn Strydom Swanepoel Swart Terblanche Venter Vermeulen Viljoen Visser
        Vorster"""
        ),
        *("van der Merwe", "van Niekerk", "van Zyl", "van Wyk", "de Villiers", "du Plessis", "du Toit", "le Roux"),
    ),
    streets=("Nywerheidstraat", "Kerkstraat", "Voortrekkerweg", "Werkswinkellaan", "Langstraat", "Spoorwegstraat"),
    businesses=("{} Motors", "{} Onderdele", "{} Motorslopers", "{} en Seuns Voertuie", "{} Bakkies"),
    phone_prefixes=_SOUTH_AFRICAN_PHONES,
    towns=_SOUTH_AFRICAN_TOWNS,
)
ENGLISH = Region(
    language="en",
    country="ZA",
    currency="ZAR",
    per_euro=20,
    timezone="Africa/Johannesburg",
    postal_digits=4,
    first_names=_words(
        """Aisha Alice Andrew Anthony Ayanda Brian Bongani Catherine Charlotte Claire Craig Daniel David Emily Emma
        Fatima Grace Hannah Jabulani James Jason Jessica Kagiso Keith Kevin Lerato Lindiwe Mandla Mark Megan Michael
        Naledi Nomvula Oliver Palesa Priya Rajesh Rebecca Richard Samantha Sarah Sean Sibusiso Sipho Thabo Thandiwe
        Themba William Zanele Zinhle"""
    ),
    last_names=_words(
        """Adams Bailey Baker Brown Campbell Carter Clarke Cooper Davies Dlamini Edwards Evans Fisher Govender Green
        Harris Hughes Jackson Jacobs Johnson Khumalo King Mabaso Mahlangu Maseko Mokoena Molefe Moodley Morgan Mthembu
        Naidoo Ndlovu Ngcobo Nkosi O'Brien O'Neill Patel Phillips Pillay Reddy Roberts Scott Sithole Smith Taylor
        Thompson Turner Walker White Williams Wilson Wright Zulu Zwane"""
    ),
    streets=("Industrial Road", "Main Road", "Station Street", "Voortrekker Road", "Church Street", "Harbour Road"),
    businesses=("{} Auto Spares", "{} Motors", "{} Scrapyard", "{} Car Sales", "{} Auto Parts"),
    phone_prefixes=_SOUTH_AFRICAN_PHONES,
    towns=_SOUTH_AFRICAN_TOWNS,
)

REGIONS = (FINNISH, SPANISH, AFRIKAANS, ENGLISH)
# What share of the people speaks which language.
REGION_WEIGHTS = (0.30, 0.15, 0.20, 0.35)
