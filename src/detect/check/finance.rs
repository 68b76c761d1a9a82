//! Checks of payment cards and bank accounts.

use super::{
    Check,
    global::{compact, digits_of, luhn, number, varied},
};

/// The checks by the names that rules use.
pub(super) const TABLE: &[(&str, Check)] = &[
    ("payment-card", payment_card),
    ("unionpay-card", unionpay_card),
    ("card-track", card_track),
    ("iban", iban),
    ("bic", bic),
    ("cnaps", cnaps),
];

/// A card number: 12 to 19 digits, Luhn, no filler (ISO/IEC 7812-1); the issuer's range is the pattern's business.
fn payment_card(text: &str) -> bool {
    let digits = digits_of(text);
    (12..=19).contains(&digits.clone().count()) && luhn(text) && varied(digits.skip(4)) && enough_values(text)
}

/// A UnionPay card: 62 or an older domestic range, 16 to 19 digits, Luhn (ISO/IEC 7812-1; JR/T 0008-2000).
fn unionpay_card(text: &str) -> bool {
    let digits = digits_of(text);
    let head = digits.clone().take(4).fold(0, |sum, digit| sum * 10 + digit);
    let issuer = matches!(head, 6200..=6299 | 9558 | 6000..=6010 | 6012..=6099 | 6858 | 6886 | 6900..=6999 | 8100..=8171 | 9400 | 9559);
    (16..=19).contains(&digits.clone().count()) && issuer && payment_card(text)
}

/// At least four different digits: test data and fillers have fewer, one card in 5 000 does.
fn enough_values(text: &str) -> bool {
    digits_of(text).fold(0_u16, |seen, digit| seen | 1 << digit).count_ones() >= 4
}

/// Magnetic stripe data: the card number at its head checks (ISO/IEC 7813).
fn card_track(text: &str) -> bool {
    let pan = text.trim_start_matches(['%', ';', 'B', 'b']).split(['^', '=', 'D']).next().unwrap_or_default();
    payment_card(pan)
}

/// An international account number: the country's length, then ISO 7064 MOD 97-10 (ISO 13616; SWIFT IBAN registry release 97).
fn iban(text: &str) -> bool {
    const LENGTHS: &[(usize, &str)] = &[
        (15, "NO"),
        (16, "BE"),
        (18, "DK FI FK FO GL NL SD"),
        (19, "MK SI"),
        (20, "AT BA EE KZ LT LU MN XK"),
        (21, "CH HR LI LV"),
        (22, "BG BH CR DE GB GE IE ME RS VA"),
        (23, "AE GI IL IQ OM SO TL"),
        (24, "AD CZ ES MD PK RO SA SE SK TN VG"),
        (25, "LY PT ST"),
        (26, "IS TR"),
        (27, "BI DJ FR GR IT MC MR SM"),
        (28, "AL AZ BY CY DO GT HN HU LB NI PL SV"),
        (29, "BR EG PS QA UA"),
        (30, "JO KW MU YE"),
        (31, "MT SC"),
        (32, "LC"),
        (33, "RU"),
    ];
    let letters = || text.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_uppercase());
    let (count, country) = (letters().count(), letters().take(2));
    let known =
        LENGTHS.iter().any(|&(length, countries)| length == count && countries.split(' ').any(|code| code.bytes().eq(country.clone())));
    let remainder = letters().skip(4).chain(letters().take(4)).fold(0, |sum, byte| match byte {
        b'0'..=b'9' => (sum * 10 + u32::from(byte - b'0')) % 97,
        _ => (sum * 100 + u32::from(byte - b'A') + 10) % 97,
    });
    known && remainder == 1 && varied(digits_of(text).skip(2))
}

/// A bank identifier code: four letters, a country, a location, perhaps a branch (ISO 9362).
fn bic(text: &str) -> bool {
    const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BW BY BZ CA CD \
        CF CG CH CI CK CL CM CN CO CR CU CV CW CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FK FM FO FR GA GB GE GF GG GH GI GL GM GN GP \
        GQ GR GT GU GY HK HN HR HT HU ID IE IL IM IN IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV \
        LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM \
        PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TG TH TJ TL TM TN TO TR TT TV TW \
        TZ UA UG US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";
    let country = text.get(4..6).unwrap_or_default();
    matches!(text.len(), 8 | 11) && COUNTRIES.split_ascii_whitespace().any(|code| code == country)
}

/// A bank's line number in China's payment system: 12 digits that begin with a known class of bank (中国人民银行 支付系统行名行号).
fn cnaps(text: &str) -> bool {
    let Some(digits) = compact::<12>(text) else { return false };
    let bank = number(&digits, 0, 3);
    matches!(bank, Some(1..=3 | 11 | 102..=105 | 201..=204 | 301..=325 | 401..=404 | 501..=787 | 901..=989)) && varied(digits_of(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_have_a_check_digit_and_are_no_filler() {
        for good in ["4539 1488 0343 6467", "378282246310005", "6011-0009-9013-9424", "30569309025904"] {
            assert!(payment_card(good), "{good}");
        }
        for bad in ["4539 1488 0343 6468", "0000000000000000", "4444444444444448", "45391488034"] {
            assert!(!payment_card(bad), "{bad}");
        }
        assert!(unionpay_card("6217000066925380862") && !unionpay_card("6217000066925380863") && !unionpay_card("4539148803436467"));
        assert!(card_track("%B4539148803436467^DOE/JANE^2512101") && card_track(";4539148803436467=2512101"));
        assert!(!card_track(";4539148803436468=2512101"));
    }

    #[test]
    fn account_numbers_have_their_countrys_length_and_remainder_1() {
        for good in [
            "GB29 NWBK 6016 1331 9268 19",
            "DE89370400440532013000",
            "FR14 2004 1010 0505 0001 3M02 606",
            "NO93 8601 1117 947",
            "MT84MALT011000012345MTLCAST001S",
        ] {
            assert!(iban(good), "{good}");
        }
        for bad in ["DE88370400440532013000", "DE8937040044053201300", "ZZ89370400440532013000", "", "GB29 NWBK 6016 1331 9268 1O"] {
            assert!(!iban(bad), "{bad}");
        }
    }

    #[test]
    fn bank_codes_name_a_country_or_a_class() {
        assert!(bic("COBADEFFXXX") && bic("BKCHCNBJ") && !bic("COBAZZFF") && !bic("ABSOXXTE") && !bic("CHCNBJ"));
        assert!(cnaps("313651027012") && cnaps("102100099996") && !cnaps("999999999999") && !cnaps("10210009999"));
    }
}
