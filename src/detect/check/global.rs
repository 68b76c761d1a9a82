//! Checks of identifiers that are the same in every country: e-mail, telephone, travel documents, devices, vehicles, dates.
//!
//! Holds the two helpers that the checks of this team of modules share: [`compact`] and [`luhn`].

use super::Check;

/// The checks by the names that rules use.
pub(super) const TABLE: &[(&str, Check)] = &[
    ("email", email),
    ("e164", e164),
    ("nanp", nanp),
    ("phone", phone),
    ("luhn", luhn),
    ("varied-digits", varied_digits),
    ("imei", imei),
    ("iccid", iccid),
    ("vin", vin),
    ("mrz", mrz),
    ("birth-date", birth_date),
    ("coordinates", coordinates),
];

/// The ASCII letters (upper case) and digits of `text`, if there are exactly `N`; everything else is a separator.
pub(super) fn compact<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    let mut count = 0;
    for byte in text.bytes().filter(u8::is_ascii_alphanumeric) {
        *out.get_mut(count)? = byte.to_ascii_uppercase();
        count += 1;
    }
    (count == N).then_some(out)
}

/// The values of the ASCII digits of `text`, in order.
pub(super) fn digits_of(text: &str) -> impl DoubleEndedIterator<Item = u32> + Clone {
    text.bytes().filter(u8::is_ascii_digit).map(|byte| u32::from(byte - b'0'))
}

/// The number that the first `count` decimal digits of `bytes` spell, from `start`; `None` on anything else than digits.
pub(super) fn number(bytes: &[u8], start: usize, count: usize) -> Option<u32> {
    bytes.get(start..start + count)?.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
}

/// Whether the last digit of `text` is the Luhn check digit of its other digits (ISO/IEC 7812-1 annex B).
pub(super) fn luhn(text: &str) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let (sum, count) = digits_of(text)
        .rev()
        .enumerate()
        .fold((0, 0), |(sum, count), (place, digit)| (sum + if place % 2 == 1 { doubled(digit) } else { digit }, count + 1));
    count > 1 && sum % 10 == 0
}

/// Whether the day exists (proleptic Gregorian calendar).
pub(super) fn date_exists(year: u32, month: u32, day: u32) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Whether somebody alive can be born on that day.
pub(super) fn birthday_exists(year: u32, month: u32, day: u32) -> bool {
    (1900..2050).contains(&year) && date_exists(year, month, day)
}

/// More than a filler: the digits are neither (nearly) all the same, nor one run up or down, nor one short pattern repeated.
pub(super) fn varied_digits(text: &str) -> bool {
    varied(digits_of(text))
}

/// [`varied_digits`] of digits.
pub(super) fn varied(digits: impl Iterator<Item = u32> + Clone) -> bool {
    let count = digits.clone().count();
    if count < 4 {
        return count > 0;
    }
    let pairs = || digits.clone().zip(digits.clone().skip(1));
    let same = pairs().filter(|(a, b)| a == b).count();
    let up = pairs().filter(|(a, b)| (a + 1) % 10 == *b).count();
    let down = pairs().filter(|(a, b)| *a == (b + 1) % 10).count();
    let periodic = |period: usize| count >= 3 * period && digits.clone().zip(digits.clone().skip(period)).all(|(a, b)| a == b);
    let most = count - 2;
    same * 4 < (count - 1) * 3 && up < most && down < most && !periodic(2) && !periodic(3) && !periodic(4)
}

/// An address that can be somebody's: a plausible domain (RFC 1035 lengths, no file ending) and no machine's or placeholder's mailbox.
fn email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let Some((_, top)) = domain.rsplit_once('.') else { return false };
    const FILE_ENDINGS: [&str; 20] = [
        "png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "ts", "json", "html", "htm", "php", "py", "java", "md", "txt", "xml",
        "yml", "map",
    ];
    const MACHINES: [&str; 7] = ["git", "noreply", "no-reply", "donotreply", "do-not-reply", "mailer-daemon", "postmaster"];
    const PLACEHOLDERS: [&str; 10] = ["user", "username", "your", "yourname", "your_email", "you", "name", "example", "email", "someone"];
    const SAMPLES: [&str; 7] = ["example.com", "example.org", "example.net", "domain.com", "company.com", "email.com", "test.com"];
    let is_one_of = |list: &[&str], text: &str| list.iter().any(|item| item.eq_ignore_ascii_case(text));
    let dots = |part: &str| part.starts_with('.') || part.ends_with('.') || part.contains("..");
    let label = |label: &str| !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-');
    (1..=64).contains(&local.len())
        && domain.len() <= 253
        && !dots(local)
        && domain.split('.').all(label)
        && !is_one_of(&FILE_ENDINGS, top)
        && !is_one_of(&MACHINES, local)
        && !(is_one_of(&PLACEHOLDERS, local) && is_one_of(&SAMPLES, domain))
        && !domain.ends_with(".noreply.github.com")
        && local.bytes().any(|byte| byte.is_ascii_alphanumeric())
}

/// An international number: `+`, an assigned country code (ITU-T E.164 list of 2016 and its updates), 8 to 15 digits, no filler.
fn e164(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit);
    let count = digits.clone().count();
    let mut head = digits.map(|byte| u32::from(byte - b'0'));
    let (Some(a), Some(b), Some(c)) = (head.next(), head.next(), head.next()) else { return false };
    let (two, three) = (a * 10 + b, a * 100 + b * 10 + c);
    let (code, min, max) = match (two, three) {
        (10..=19, _) => return count == 11 && nanp(text),
        (70..=79, _) => (1, 11, 11),
        (86, _) => return (11..=14).contains(&count) && varied(digits_of(text).skip(3)),
        (20 | 27 | 30..=34 | 36 | 39..=41 | 43..=49 | 51..=58 | 60..=66 | 81 | 82 | 84 | 90..=95 | 98, _) => (2, 9, 15),
        (_, 211..=213 | 216 | 218 | 220..=258 | 260..=269 | 290 | 291 | 297..=299 | 350..=359 | 370..=383 | 385..=387 | 389) => (3, 9, 15),
        (_, 420 | 421 | 423 | 500..=509 | 590..=599 | 670 | 672..=692 | 850 | 852 | 853 | 855 | 856 | 880 | 886) => (3, 9, 15),
        (_, 960..=968 | 970..=977 | 992..=996 | 998) => (3, 9, 15),
        _ => return false,
    };
    (min..=max).contains(&count) && varied(digits_of(text).skip(code))
}

/// A North American number: area code and exchange from 200, not a toll-free or premium area, not the fictional 555-01xx (NANPA; ITU-T E.164).
fn nanp(text: &str) -> bool {
    let all = digits_of(text);
    let count = all.clone().count();
    let digits = all.skip(count.saturating_sub(10)).take(10);
    let take = |from: usize, count: usize| digits.clone().skip(from).take(count).fold(0, |sum, digit| sum * 10 + digit);
    let country = count == 10 || (count == 11 && digits_of(text).next() == Some(1));
    let (area, exchange, line) = (take(0, 3), take(3, 3), take(6, 4));
    // Toll-free numbers are companies' (400 is no area code, but the prefix of Chinese hotlines); written internationally they may well be somebody's forwarding number.
    let hotline = area == 400 && count == 10 && !text.starts_with('(');
    let toll_free = hotline || matches!(area, 800 | 900) || (matches!(area, 866 | 877 | 888) && !text.starts_with('+'));
    let fictional = exchange == 555 && (100..200).contains(&line);
    country && area >= 200 && exchange >= 200 && !toll_free && !fictional && varied(digits.clone())
}

/// A telephone number of unknown country: 7 to 15 digits, no filler.
fn phone(text: &str) -> bool {
    let fictional = text.contains("555-01") || text.contains("555 01");
    (7..=15).contains(&digits_of(text).count()) && !fictional && varied_digits(text)
}

/// A device's number: 15 digits, a reporting body that exists, Luhn (3GPP TS 23.003 annex B; GSMA TS.06).
fn imei(text: &str) -> bool {
    let Some(digits) = compact::<15>(text) else { return false };
    let body = number(&digits, 0, 2).unwrap_or(0);
    let known = matches!(body, 1 | 10 | 30 | 33 | 35 | 44 | 45 | 49 | 50..=54 | 86 | 91 | 98 | 99);
    known && luhn(text) && varied_digits(text)
}

/// A SIM card's number: `89`, 19 or 20 digits, Luhn over the first 19 or over all (ITU-T E.118).
fn iccid(text: &str) -> bool {
    let digits = digits_of(text);
    let starts = digits.clone().take(2).eq([8, 9]);
    match digits.clone().count() {
        19 | 20 if !varied(digits.clone()) => false,
        19 => starts && luhn(text),
        20 => starts && (luhn(text) || text.rfind(|c: char| c.is_ascii_digit()).and_then(|last| text.get(..last)).is_some_and(luhn)),
        _ => false,
    }
}

/// A vehicle's number with its check digit in place 9 (ISO 3779; GB 16735-2019 section 5; 49 CFR 565.15).
fn vin(text: &str) -> bool {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let value = |byte: u8| match byte {
        b'0'..=b'9' => Some(u32::from(byte - b'0')),
        b'A'..=b'H' => Some(u32::from(byte - b'A') + 1),
        b'J'..=b'N' => Some(u32::from(byte - b'J') + 1),
        b'P' => Some(7),
        b'R' => Some(9),
        b'S'..=b'Z' => Some(u32::from(byte - b'S') + 2),
        _ => None,
    };
    let Some(vin) = compact::<17>(text) else { return false };
    let Some(sum) = vin.iter().zip(WEIGHTS).try_fold(0, |sum, (&byte, weight)| Some(sum + value(byte)? * weight)) else { return false };
    let check = if sum % 11 == 10 { b'X' } else { b'0' + u8::try_from(sum % 11).unwrap_or(0) };
    let letters = vin.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let serial_is_number = vin.iter().skip(13).all(u8::is_ascii_digit);
    vin.get(8) == Some(&check) && letters >= 3 && serial_is_number && varied(digits_of(text))
}

/// The machine-readable zone of a travel document, lines of 30, 36 or 44, with its check digits (ICAO 9303 parts 3 to 6).
fn mrz(text: &str) -> bool {
    let mut lines = text.split_whitespace();
    match (lines.next(), lines.next(), lines.next(), lines.next()) {
        (Some(first), Some(second), Some(third), None) => {
            [first, second, third].iter().all(|line| line.len() == 30) && mrz_td1(first, second)
        }
        (Some(first), Some(second), None, None) if first.len() == second.len() => {
            matches!(second.len(), 36 | 44) && mrz_second_line(second)
        }
        _ => false,
    }
}

fn mrz_td1(first: &str, second: &str) -> bool {
    mrz_field(first, 5, 9) && mrz_field(second, 0, 6) && mrz_field(second, 8, 6)
}

fn mrz_second_line(line: &str) -> bool {
    mrz_field(line, 0, 9) && mrz_field(line, 13, 6) && mrz_field(line, 21, 6)
}

/// Whether the character after the `count` ones at `start` is their check digit: weights 7, 3, 1, modulo 10.
fn mrz_field(line: &str, start: usize, count: usize) -> bool {
    let Some(field) = line.as_bytes().get(start..=start + count) else { return false };
    let value = |byte: u8| match byte {
        b'0'..=b'9' => Some(u32::from(byte - b'0')),
        b'A'..=b'Z' => Some(u32::from(byte - b'A') + 10),
        b'<' => Some(0),
        _ => None,
    };
    let Some((&check, body)) = field.split_last() else { return false };
    let sum = body.iter().zip([7, 3, 1].into_iter().cycle()).try_fold(0, |sum, (&byte, weight)| Some(sum + value(byte)? * weight));
    sum.map(|sum| sum % 10) == value(check)
}

/// A day on which somebody alive can be born, written with the year first or last; two-digit years are let through.
fn birth_date(text: &str) -> bool {
    let mut parts = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    let (Some(first), second, third) = (parts.next(), parts.next(), parts.next()) else { return false };
    let value = |part: &str| part.parse::<u32>().unwrap_or(0);
    match (second, third) {
        (Some(second), Some(third)) if first.len() == 4 => birthday_exists(value(first), value(second), value(third)),
        (Some(second), Some(third)) => {
            let (a, b) = (value(first), value(second));
            let year = if third.len() == 4 { value(third) } else { 2000 };
            birthday_exists(year, a, b) || birthday_exists(year, b, a)
        }
        // A month in words, or no month at all: the pattern saw to the rest.
        (Some(second), None) => (1..=31).contains(&value(first).min(value(second))),
        (None, _) => {
            first.len() != 8
                || number(first.as_bytes(), 0, 4)
                    .zip(number(first.as_bytes(), 4, 2))
                    .zip(number(first.as_bytes(), 6, 2))
                    .is_some_and(|((year, month), day)| birthday_exists(year, month, day))
        }
    }
}

/// Latitude and longitude in range, both with a fraction, neither a round number (ISO 6709).
fn coordinates(text: &str) -> bool {
    let mut numbers =
        text.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-')).filter(|part| part.bytes().any(|b| b.is_ascii_digit()));
    let (Some(a), Some(b), None) = (numbers.next(), numbers.next(), numbers.next()) else { return false };
    let (Ok(x), Ok(y)) = (a.parse::<f64>(), b.parse::<f64>()) else { return false };
    (x.abs() <= 90.0 && y.abs() <= 180.0 || x.abs() <= 180.0 && y.abs() <= 90.0) && x != 0.0 && y != 0.0 && varied_digits(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luhn_knows_published_numbers_and_every_one_digit_error() {
        assert!(luhn("4111 1111 1111 1111") && luhn("378282246310005") && luhn("79927398713"));
        for wrong in 0..10 {
            assert!(wrong == 3 || !luhn(&format!("7992739871{wrong}")));
        }
        assert!(!luhn("0") && !luhn(""));
    }

    #[test]
    fn an_address_of_a_person_is_told_from_a_file_name_and_a_machine() {
        for good in ["jan.k+x@mail.example.org", "a@b.cn", "USER1@Example.COM"] {
            assert!(email(good), "{good}");
        }
        for bad in [
            "logo@2x.png",
            "git@github.com",
            "a..b@c.de",
            "noreply@x.com",
            "user@example.com",
            "a@-b.com",
            "a@b",
            "@b.com",
            "1+a@users.noreply.github.com",
        ] {
            assert!(!email(bad), "{bad}");
        }
    }

    #[test]
    fn international_numbers_have_an_assigned_code_and_a_length() {
        for good in ["+44 7711 816934", "+1 634-976-1272", "+86 138 1234 6789", "+852 9182 4367", "+49 30 901820"] {
            assert!(e164(good), "{good}");
        }
        for bad in ["+1 234567", "+999 1234 5678", "+1 800 234 7777", "+1 212 555 0123", "+44 1111111111", "+44 12345", "+"] {
            assert!(!e164(bad), "{bad}");
        }
    }

    #[test]
    fn device_numbers_check() {
        assert!(imei("490154203237518") && imei("35-209900-176148-1"));
        assert!(!imei("490154203237519") && !imei("350000000000006") && !imei("4901542032375"));
        assert!(iccid("8986009159086409767") && !iccid("8986009159086409766") && !iccid("898600915908640976"));
    }

    #[test]
    fn a_vehicle_number_has_its_check_digit() {
        assert!(vin("1M8GDM9AXKP042788") && vin("1hgcm82633a004352"));
        assert!(!vin("1M8GDM9AYKP042788") && !vin("1M8GDM9A0KP042788") && !vin("11111111111111111") && !vin("1M8GDM9AXKPO42788"));
    }

    #[test]
    fn the_specimen_zones_of_icao_9303_check() {
        let td3 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10";
        let td1 = "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<";
        assert!(mrz(td3) && mrz(td1));
        assert!(!mrz(&td3.replace("7408122", "7408123")) && !mrz(&td1.replace("D231458907", "D231458908")) && !mrz("P<UTO"));
    }

    #[test]
    fn a_birthday_exists_and_is_not_in_the_far_future() {
        for good in ["1990-03-07", "07/03/1990", "3.7.1990", "1990年3月7日", "19900307", "12/31/85"] {
            assert!(birth_date(good), "{good}");
        }
        for bad in ["1990-13-07", "2099-01-01", "31/31/1990", "19901307", "1889-01-01", "x"] {
            assert!(!birth_date(bad), "{bad}");
        }
    }

    #[test]
    fn fillers_are_no_numbers() {
        for filler in ["1111111111", "1234567890", "9876543210", "1212121212", "123123123", "0000000001"] {
            assert!(!varied_digits(filler), "{filler}");
        }
        assert!(varied_digits("1380013457") && varied_digits("20231105"));
    }

    #[test]
    fn coordinates_are_in_range() {
        assert!(coordinates("39.90469, 116.40717") && coordinates("-33.8688 151.2093"));
        assert!(!coordinates("39.9, 196.4") && !coordinates("95.1, 96.2") && !coordinates("0.0, 12.5"));
    }
}
