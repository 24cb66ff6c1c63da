"""What people write, in the languages of `regions`."""

from __future__ import annotations

VEHICLE_NOTES = {
    "fi": ("Kolarivaurio edessä, muuten ehjä.", "Moottori ajettu käyntiin, vaihteisto toimii.", "Ruosteinen, osiksi."),
    "es": ("Golpe frontal, el resto está bien.", "Motor probado, la caja funciona.", "Para despiece completo."),
    "af": ("Voor gestamp, die res is heel.", "Enjin is getoets, ratkas werk.", "Word heeltemal gestroop."),
    "en": ("Front damage, the rest is straight.", "Engine was run and the gearbox shifts.", "Stripping for spares."),
}
PART_DESCRIPTIONS = {
    "fi": ("Testattu, takuu 30 päivää.", "Irrotettu ehjästä autosta.", "Käytön jälkiä, täysin toimiva.", "Siisti osa."),
    "es": ("Probado, 30 días de garantía.", "Desmontado de un coche en marcha.", "Señales de uso, funciona bien."),
    "af": ("Getoets, 30 dae waarborg.", "Uit 'n lopende motor gehaal.", "Merke van gebruik, werk reg."),
    "en": ("Tested, 30 days warranty.", "Taken from a running car.", "Marks of use, works as it should."),
}
CAR_DESCRIPTIONS = {
    "fi": ("Siisti ja huollettu, kaksi avainta.", "Juuri katsastettu, ei ruostetta.", "Hyvin pidetty perheauto."),
    "es": ("Revisado y con dos llaves.", "ITV recién pasada, sin óxido.", "Coche familiar muy cuidado."),
    "af": ("Netjies en gediens, twee sleutels.", "Pas padwaardig verklaar.", "Goed versorgde gesinsmotor."),
    "en": ("Clean and serviced, two keys.", "Fresh roadworthy, no rust.", "Well kept family car."),
}
CAR_PARAGRAPHS = {
    "fi": (
        "Auto on huollettu ajallaan, ja huoltokirja tulee mukana.",
        "Rahoitus järjestyy, ja vanhan auton voi antaa vaihdossa.",
        "Koeajo onnistuu arkisin ja sopimuksen mukaan lauantaisin.",
        "Renkaat ovat kahden vuoden ikäiset, jarrut on uusittu keväällä.",
    ),
    "es": (
        "El coche tiene todas las revisiones y se entrega con el libro.",
        "Financiamos la compra y aceptamos su coche usado.",
        "Puede probarlo entre semana, y los sábados con cita.",
        "Los neumáticos tienen dos años y los frenos son nuevos.",
    ),
    "af": (
        "Die motor is volgens die boek gediens.",
        "Ons reël finansiering en neem u ou motor in.",
        "Toetsritte op weeksdae, en Saterdae volgens afspraak.",
        "Die bande is twee jaar oud en die remme is nuut.",
    ),
    "en": (
        "The car was serviced by the book, which comes with it.",
        "We arrange finance and take your present car in part exchange.",
        "Test drives on weekdays, and on Saturdays by appointment.",
        "The tyres are two years old and the brakes were renewed this spring.",
    ),
}
CAR_VIEWS = ("in the showroom", "in the yard")
YARD_PLACES = ("Bay", "Rack", "Shelf", "Row")

# {} is what the person asks about.
LEAD_MESSAGES = {
    "fi": (
        "Onko {} vielä myynnissä?",
        "Hei! Haluaisin koeajaa auton: {}. Sopisiko huomenna iltapäivällä? Minulla olisi myös vaihtoauto.",
        "Mikä on paras hinta, jos ostan heti? Kohde: {}.",
        "Voitteko lähettää lisää kuvia kohteesta {}, kiitos.",
        "Järjestyykö rahoitus? Kiinnostuin: {}. Soittakaa, kun ehditte, olen tavoitettavissa arkisin neljän jälkeen.",
    ),
    "es": (
        "¿Sigue disponible {}?",
        "Buenos días, me gustaría comprar {}. ¿Puedo verlo hoy? Tengo otro coche para entregar a cuenta.",
        "¿Cuál es el último precio de {}?",
        "¿Me pueden mandar más fotos de {}, por favor?",
        "Necesito financiación para {}. Llámenme por la tarde, después de las cinco, o escríbanme por aquí.",
    ),
    "af": (
        "Is {} nog beskikbaar?",
        "Goeie dag, ek stel belang in {}. Kan ek Saterdag kom kyk? Ek het ook 'n ouer motor wat ek graag wil inruil.",
        "Wat is u beste prys vir {}?",
        "Kan u asseblief nog foto's van {} stuur?",
        "Stuur u ook na die Karoo? Dit gaan oor {}. Bel my gerus in die aand, of laat 'n boodskap op my foon.",
    ),
    "en": (
        "Is {} still available?",
        "Good day, I would like to buy {}. May I come for a test drive tomorrow? I also have a car to trade in.",
        "What is your best price for {}?",
        "Please send more pictures of {}.",
        "Do you deliver? It is about {}. You can phone me in the evening, or leave a message and I will call back.",
    ),
}
SPAM_MESSAGES = (
    "We bring your website to page one of every search engine, guaranteed.",
    "Cheap followers and reviews for your business, pay only on success.",
    "Dear owner, your domain will be listed wrongly unless you answer this offer.",
)
LEAD_NOTES = (
    "Called, no answer; will try again in the afternoon.",
    "Wants to see it on Saturday at ten.",
    "Has a car to trade in, asked for pictures of it.",
    "Compares with another dealer, price is what counts.",
    "Bank agreed to the finance, papers are on the way.",
    "Asked for the service history; sent by e-mail.",
)

VOUCHER_TITLES = {
    "fi": "Etu: {}",
    "es": "Descuento: {}",
    "af": "Afslag: {}",
    "en": "Save {}",
}
VOUCHER_DESCRIPTIONS = {
    "fi": "Näytä koodi kassalla, niin saat alennuksen.",
    "es": "Enseñe el código en caja y reciba el descuento.",
    "af": "Wys die kode by die toonbank en kry afslag.",
    "en": "Show the code at the counter and get the discount.",
}
VOUCHER_TERMS = {
    "fi": "Yksi etu asiakasta kohden. Ei voi yhdistää muihin tarjouksiin.",
    "es": "Un descuento por cliente. No acumulable con otras ofertas.",
    "af": "Een per kliënt. Geld nie saam met ander aanbiedinge nie.",
    "en": "One per customer. Not valid together with other offers.",
}

TICKETS = {
    "general": ("How do I change my address?", "I moved and cannot find where to enter the new address."),
    "billing": ("Invoice shows the wrong company", "The last invoice has our old name on it. Please send a new one."),
    "technical": ("Pictures do not upload", "Every picture over 5 MB stops at half and then disappears."),
    "account": ("I cannot sign in any more", "The link in the e-mail says that it has expired already."),
    "bug_report": ("Part shows the wrong vehicle", "After editing, the part is listed under another vehicle."),
    "feature_request": ("Print labels for the shelves", "We would like to print a label with the part's number."),
}
TICKET_ANSWERS = (
    "Thank you, we are looking into it.",
    "Could you tell us which browser you use?",
    "It works again; please try once more.",
    "We have corrected it on our side.",
)
TICKET_REMARKS = ("Seen this twice today.", "Waiting for the bookkeeper.", "Belongs to the shop's upload limit.")

SEARCHES = (
    *("alternator polo", "hilux tailgate", "laturi corolla", "etupuskuri octavia", "caja de cambios leon"),
    *(
        "x3 headlight",
        "gearbox golf 7",
        "ranger canopy",
        "starter motor i20",
        "faro delantero clio",
        "ratkas polo",
        "2.0 tdi",
    ),
)
PATHS = (
    *("/", "/cars/", "/parts/", "/cars/suv/", "/cars/electric/", "/parts/engine-components/", "/parts/body-parts/"),
    *("/sellers/", "/vouchers/", "/about/", "/contact/", "/finance/", "/search/"),
)
REFERRERS = (
    *("", "", "", "https://www.google.com/", "https://www.bing.com/", "https://duckduckgo.com/"),
    *("https://www.facebook.com/", "https://www.instagram.com/", "https://news.example.org/used-cars/"),
)
BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
)
BOTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
)
