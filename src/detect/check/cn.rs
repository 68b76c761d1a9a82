//! Checks of identifiers of China: the mainland, Hong Kong, Macau and Taiwan.

use super::{
    Check,
    global::{birthday_exists, compact, digits_of, number, varied},
};

/// The checks by the names that rules use.
pub(super) const TABLE: &[(&str, Check)] = &[
    ("cn-resident-id", resident_id),
    ("cn-resident-id-15", resident_id_15),
    ("cn-residence-permit", residence_permit),
    ("cn-foreigner-id", foreigner_id),
    ("cn-foreigner-id-2017", foreigner_id_2017),
    ("cn-student-id", student_id),
    ("cn-disability-id", disability_id),
    ("cn-uscc", uscc),
    ("cn-organisation-code", organisation_code),
    ("cn-business-registration", business_registration),
    ("cn-mobile", mobile),
    ("cn-landline", landline),
    ("cn-plate", plate),
    ("hk-id", hk_id),
    ("tw-id", tw_id),
    ("tw-ubn", tw_ubn),
];

/// A citizen's number of 18: region, day of birth, ISO 7064 MOD 11-2 (GB 11643-1999, GB/T 2260).
fn resident_id(text: &str) -> bool {
    let Some(id) = compact::<18>(text) else { return false };
    region(&id) && birthday_at(&id, 6) && mod_11_2(&id)
}

/// A first-generation number of 15: region, day of birth in 19xx, serial; it has no check digit (GB 11643-1989).
fn resident_id_15(text: &str) -> bool {
    let Some(id) = compact::<15>(text) else { return false };
    let birthday = (number(&id, 6, 2), number(&id, 8, 2), number(&id, 10, 2));
    let (Some(year), Some(month), Some(day)) = birthday else { return false };
    region(&id) && birthday_exists(1900 + year, month, day) && varied(digits_of(text))
}

/// The residence permit of people from Hong Kong (810000), Macau (820000) or Taiwan (830000): else like a citizen's number
/// (State Council, 国办发〔2018〕81号).
fn residence_permit(text: &str) -> bool {
    let Some(id) = compact::<18>(text) else { return false };
    matches!(number(&id, 0, 6), Some(810_000 | 820_000 | 830_000)) && birthday_at(&id, 6) && mod_11_2(&id)
}

/// A foreigner's permanent residence card since 2023: 9, province, ISO 3166 numeric country, birthday, serial, MOD 11-2 (National Immigration
/// Administration, 2023 machine-readable rules).
fn foreigner_id(text: &str) -> bool {
    let Some(id) = compact::<18>(text) else { return false };
    let country = number(&id, 3, 3).is_some_and(|country| (4..=894).contains(&country) && country != 156);
    id.first() == Some(&b'9') && number(&id, 1, 2).is_some_and(province) && country && birthday_at(&id, 6) && mod_11_2(&id)
}

/// A foreigner's permanent residence card of 2004 to 2023: three letters of nationality, region of four, birthday of six, two more digits.
fn foreigner_id_2017(text: &str) -> bool {
    let Some(id) = compact::<15>(text) else { return false };
    let letters = id.iter().take(3).all(u8::is_ascii_alphabetic);
    let day = number(&id, 9, 2).zip(number(&id, 11, 2)).is_some_and(|(month, day)| birthday_exists(2000, month, day));
    letters && number(&id, 3, 2).is_some_and(province) && number(&id, 7, 8).is_some() && day
}

/// A pupil's number: `G`, `L` or `J` before a citizen's number (Ministry of Education, 教基一〔2013〕7号).
fn student_id(text: &str) -> bool {
    text.split_at_checked(1).is_some_and(|(letter, id)| matches!(letter, "G" | "L" | "J" | "g" | "l" | "j") && resident_id(id))
}

/// A disability card: a citizen's number, then kind 1 to 7 and grade 1 to 4 (China Disabled Persons' Federation, 2017).
fn disability_id(text: &str) -> bool {
    text.split_at_checked(18).is_some_and(|(id, tail)| {
        let mut tail = tail.bytes();
        let (kind, grade) = (tail.next(), tail.next());
        resident_id(id) && matches!(kind, Some(b'1'..=b'7')) && matches!(grade, Some(b'1'..=b'4'))
    })
}

/// ISO 7064 MOD 11-2 over the whole of `id`, whose last place may be X.
fn mod_11_2(id: &[u8]) -> bool {
    let Some((&check, body)) = id.split_last() else { return false };
    let check = match check {
        b'X' => 10,
        b'0'..=b'9' => u32::from(check - b'0'),
        _ => return false,
    };
    let power = body.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| (sum + u32::from(byte - b'0')) * 2 % 11));
    power.is_some_and(|power| (power + check) % 11 == 1)
}

fn birthday_at(id: &[u8], at: usize) -> bool {
    let (Some(year), Some(month), Some(day)) = (number(id, at, 4), number(id, at + 4, 2), number(id, at + 6, 2)) else { return false };
    birthday_exists(year, month, day)
}

/// Whether GB/T 2260 has, or had since 1980, the province.
fn province(code: u32) -> bool {
    matches!(code, 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65)
}

/// Whether the first six digits are a region down to the prefecture, present or abolished (GB/T 2260-1980 to -2007 and later changes): cities from 01,
/// prefectures and leagues from 21, counties under the province 90.
fn region(id: &[u8]) -> bool {
    let (Some(province), Some(prefecture), Some(county)) = (number(id, 0, 2), number(id, 2, 2), number(id, 4, 2)) else { return false };
    let (cities, prefectures) = match province {
        11 | 12 | 31 => (3, 0),
        13 => (11, 30),
        14 => (11, 28),
        15 => (9, 30),
        21 => (14, 25),
        22 => (8, 26),
        23 => (12, 28),
        32 => (13, 29),
        33 => (11, 29),
        34 => (18, 29),
        35 => (9, 29),
        36 => (11, 29),
        37 => (17, 29),
        41 => (18, 30),
        42 => (13, 30),
        43 => (14, 31),
        44 => (20, 30),
        45 => (14, 29),
        46 => (4, 0),
        50 => (3, 0),
        51 => (20, 35),
        52 => (6, 29),
        53 => (9, 36),
        54 => (7, 28),
        61 => (10, 29),
        62 => (12, 31),
        63 => (3, 29),
        64 => (5, 24),
        65 => (5, 43),
        _ => return false,
    };
    let known = (1..=cities).contains(&prefecture)
        || (21..=prefectures).contains(&prefecture)
        || prefecture == 90
        || (province == 44 && (51..=53).contains(&prefecture))
        || (province == 46 && prefecture == 0); // Hainan's first codes, 4600xx, stand on cards to this day
    known && (county > 0 || prefecture > 0)
}

/// A unified social credit code: 18 of 31 characters, registration department, region, weights 3^i MOD 31 (GB 32100-2015).
fn uscc(text: &str) -> bool {
    let Some(code) = compact::<18>(text) else { return false };
    const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    let value = |byte: u8| ALPHABET.iter().position(|&c| c == byte).and_then(|at| u32::try_from(at).ok());
    let department = matches!(code.first(), Some(b'1'..=b'9' | b'A' | b'N' | b'Y'));
    let place = number(&code, 2, 6).is_some_and(|place| place == 100_000 || province(place / 10_000));
    let mut weight = 1;
    let sum = code.iter().take(17).try_fold(0, |sum, &byte| {
        let term = value(byte)? * weight;
        weight = weight * 3 % 31;
        Some(sum + term)
    });
    let check = code.last().and_then(|&byte| value(byte));
    department && place && sum.zip(check).is_some_and(|(sum, check)| (sum + check) % 31 == 0)
}

/// An organisation code: eight characters and a check, weights 3 7 9 10 5 8 4 2 MOD 11 (GB 11714-1997).
fn organisation_code(text: &str) -> bool {
    let Some(code) = compact::<9>(text) else { return false };
    let value = |byte: u8| u32::from(if byte.is_ascii_digit() { byte - b'0' } else { byte - b'A' + 10 });
    let sum: u32 = code.iter().zip([3, 7, 9, 10, 5, 8, 4, 2]).map(|(&byte, weight)| value(byte) * weight).sum();
    let check = match code.last() {
        Some(b'X') => 10,
        Some(&byte) if byte.is_ascii_digit() => u32::from(byte - b'0'),
        _ => return false,
    };
    (sum + check).is_multiple_of(11) && varied(digits_of(text))
}

/// A business registration number of 15 as before 2015: region, serial, ISO 7064 MOD 11,10 (工商总局 GS 15-2006).
fn business_registration(text: &str) -> bool {
    let Some(code) = compact::<15>(text) else { return false };
    let place = number(&code, 0, 6).is_some_and(|place| place == 100_000 || province(place / 10_000));
    let product = code.iter().take(14).try_fold(10, |product, byte| {
        let sum = (product + u32::from(byte.is_ascii_digit().then(|| byte - b'0')?)) % 10;
        Some((if sum == 0 { 10 } else { sum }) * 2 % 11)
    });
    let check = number(&code, 14, 1);
    place && product.zip(check).is_some_and(|(product, check)| (product + check) % 10 == 1)
}

/// A mobile number: an assigned segment (MIIT numbering plan, 2024; machine-to-machine segments left out), no filler after it.
fn mobile(text: &str) -> bool {
    let count = digits_of(text).count();
    let Some(skip) = count.checked_sub(11) else { return false };
    let Some(number_) = compact_tail(text, skip) else { return false };
    let Some(segment) = number(&number_, 0, 3) else { return false };
    let assigned = matches!(segment, 130..=139 | 145..=149 | 150..=153 | 155..=159 | 162 | 165..=167 | 170..=178 | 180..=193 | 195..=199);
    let prefix = skip == 0
        || digits_of(text).take(skip).eq([8, 6])
        || digits_of(text).take(skip).eq([0, 0, 8, 6])
        || digits_of(text).take(skip).eq([0]);
    assigned && prefix && varied(digits_of(text).skip(skip + 3)) && varied(digits_of(text).skip(skip))
}

fn compact_tail(text: &str, skip: usize) -> Option<[u8; 11]> {
    let mut out = [0; 11];
    for (slot, byte) in out.iter_mut().zip(text.bytes().filter(u8::is_ascii_digit).skip(skip)) {
        *slot = byte;
    }
    out.iter().all(|&byte| byte != 0).then_some(out)
}

/// A fixed line: an area code in use and seven or eight digits from 2 to 8 (MIIT numbering plan), an extension ignored.
fn landline(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.strip_prefix("0086").or_else(|| digits.strip_prefix("86")).unwrap_or(&digits);
    let national = digits.strip_prefix('0').unwrap_or(digits).as_bytes();
    let length = match (number(national, 0, 2), number(national, 0, 3)) {
        (Some(10 | 20..=25 | 27..=29), _) => 2,
        (_, Some(310..=319 | 335 | 349..=359 | 370..=379 | 391..=398 | 410..=419 | 421 | 427 | 429 | 431..=440 | 451..=459)) => 3,
        (_, Some(464 | 467..=479 | 482 | 483 | 510..=519 | 523 | 527 | 530..=539 | 543 | 546 | 550..=566 | 570..=580 | 591..=599)) => 3,
        (
            _,
            Some(631..=635 | 660 | 662 | 663 | 668 | 691 | 692 | 701 | 710..=719 | 722 | 724 | 728 | 730..=739 | 743..=746 | 750..=769),
        ) => 3,
        (
            _,
            Some(770..=779 | 790..=799 | 812..=839 | 851..=859 | 870..=888 | 891..=909 | 911..=919 | 930..=943 | 951..=955 | 970..=979),
        ) => 3,
        (_, Some(990..=999)) => 3,
        _ => return false,
    };
    let line = national.get(length..).unwrap_or_default();
    matches!(line.first(), Some(b'2'..=b'8')) && line.len() >= 7 && varied(line.iter().take(8).map(|&byte| u32::from(byte - b'0')))
}

/// What is left of a licence plate after its province: no I, no O, two digits at least (GA 36-2018).
fn plate(text: &str) -> bool {
    let tail = || text.bytes().filter(u8::is_ascii_alphanumeric).skip(1);
    tail().filter(u8::is_ascii_digit).count() >= 2
        && tail().all(|byte| byte != b'I' && byte != b'O')
        && tail().skip(1).any(|byte| Some(byte) != tail().next())
}

/// A Hong Kong identity card: one or two letters, six digits, check digit, weights 9 to 1 MOD 11, a missing letter counts 36.
fn hk_id(text: &str) -> bool {
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).take(2).count();
    let id = match text.bytes().filter(u8::is_ascii_alphanumeric).count() {
        8 => compact::<8>(text).map(|id| (36 * 9, id.to_vec())),
        9 => compact::<9>(text).map(|id| (0, id.to_vec())),
        _ => None,
    };
    let Some((start, id)) = id else { return false };
    let value = |byte: u8| u32::from(if byte.is_ascii_digit() { byte - b'0' } else { byte - b'A' + 10 });
    let last = match id.last() {
        Some(b'A') => 10,
        Some(&byte) if byte.is_ascii_digit() => value(byte),
        _ => return false,
    };
    let weights = (2..=9).rev().skip(9 - id.len());
    let sum: u32 = start + id.iter().zip(weights).map(|(&byte, weight)| value(byte) * weight).sum::<u32>();
    letters >= 1 && (sum + last).is_multiple_of(11) && varied(digits_of(text))
}

/// A Taiwanese identity card (letter, 1 or 2, eight digits) or resident certificate (8 or 9 since 2021, before that a second letter A to D):
/// letter as two digits, weights 1 9 8 7 6 5 4 3 2 1 1 MOD 10 (戶政司; 移民署 2021).
fn tw_id(text: &str) -> bool {
    let Some(id) = compact::<10>(text) else { return false };
    let letter = |byte: u8| b"ABCDEFGHJKLMNPQRSTUVXYWZIO".iter().position(|&c| c == byte).and_then(|at| u32::try_from(at + 10).ok());
    let mut characters = id.iter().copied();
    let (Some(first), Some(second)) = (characters.next().and_then(letter), characters.next()) else { return false };
    let second = match second {
        b'1' | b'2' | b'8' | b'9' => u32::from(second - b'0'),
        b'A'..=b'D' => letter(second).unwrap_or(0) % 10,
        _ => return false,
    };
    let rest = characters
        .zip([7, 6, 5, 4, 3, 2, 1, 1])
        .try_fold(0, |sum, (byte, weight)| byte.is_ascii_digit().then(|| sum + u32::from(byte - b'0') * weight));
    rest.is_some_and(|rest| (first / 10 + first % 10 * 9 + second * 8 + rest) % 10 == 0) && varied(digits_of(text))
}

/// A Taiwanese unified business number: weights 1 2 1 2 1 2 4 1, sum of digits a multiple of 5 since April 2023 (財政部).
fn tw_ubn(text: &str) -> bool {
    let Some(id) = compact::<8>(text) else { return false };
    let Some(seventh) = number(&id, 6, 1) else { return false };
    let sum: u32 = digits_of(text).zip([1, 2, 1, 2, 1, 2, 4, 1]).map(|(digit, weight)| digit * weight / 10 + digit * weight % 10).sum();
    (sum.is_multiple_of(5) || (seventh == 7 && (sum + 1).is_multiple_of(5))) && digits_of(text).count() == 8 && varied(digits_of(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every digit of `good` replaced by every other one is refused.
    fn refuses_one_digit_errors(check: Check, good: &str) {
        assert!(check(good), "{good}");
        for (at, old) in good.char_indices().filter(|(_, c)| c.is_ascii_digit()) {
            for new in ('0'..='9').filter(|&new| new != old) {
                let mut wrong = good.to_owned();
                wrong.replace_range(at..=at, &new.to_string());
                assert!(!check(&wrong), "{wrong} passes as {good} does");
            }
        }
    }

    #[test]
    fn a_citizens_number_has_region_day_and_check_digit() {
        refuses_one_digit_errors(resident_id, "11010519491231002X");
        refuses_one_digit_errors(resident_id, "440308199901101512");
        assert!(resident_id("440308 19990110 1512"));
        assert!(!resident_id("44030819990110151") && !resident_id("990308199901101512") && !resident_id(""));
        assert!(resident_id_15("610104620927690") && !resident_id_15("610104621327690"));
    }

    #[test]
    fn permits_of_the_special_regions_are_not_citizens_numbers() {
        refuses_one_digit_errors(residence_permit, "810000199408230021");
        assert!(residence_permit("830000199201300022"));
        assert!(!resident_id("810000199408230021") && !residence_permit("440308199901101512"));
    }

    #[test]
    fn company_numbers_check() {
        // Published by the companies themselves: Huawei, Tencent, Alibaba.
        for good in ["914403001922038216", "9144030071526726XG", "91330100799655058B"] {
            refuses_one_digit_errors(uscc, good);
        }
        assert!(organisation_code("19220382-1") && organisation_code("71526726-X") && !organisation_code("19220382-2"));
        refuses_one_digit_errors(business_registration, "440301103097413");
    }

    #[test]
    fn telephones_have_assigned_prefixes() {
        for good in ["13816472093", "+86 180 2613 9505", "0086-191-9872-0034", "170-0599-9839"] {
            assert!(mobile(good), "{good}");
        }
        for bad in ["12016472093", "13811111111", "13812345678", "15416472093", "1381647209", "+85 13816472093"] {
            assert!(!mobile(bad), "{bad}");
        }
        for good in ["010-62781234", "0571-81890488", "(021) 6231 7790", "+86 755 2670 3912", "0755-26703912-801"] {
            assert!(landline(good), "{good}");
        }
        for bad in ["0260-6278123", "010-12781234", "0571-1111111", "2023-10-11"] {
            assert!(!landline(bad), "{bad}");
        }
    }

    #[test]
    fn cards_of_hong_kong_and_taiwan_check() {
        refuses_one_digit_errors(hk_id, "K824462(6)");
        assert!(hk_id("A038297(6)") && hk_id("WX993521(3)") && hk_id("M3237821"));
        assert!(!hk_id("A038297(5)") && !hk_id("A03829(6)") && !hk_id("A123456(3)"));
        assert!(tw_id("A134171564") && !tw_id("A134171563") && !tw_id("B134171564"));
        assert!(tw_id("F868813285") && tw_id("LD67716987") && !tw_id("A334171564"));
        assert!(tw_ubn("22099131") && tw_ubn("04595257") && !tw_ubn("22099132"));
    }

    #[test]
    fn a_plate_has_digits() {
        assert!(plate("京A12B45") && plate("粤B·D12345") && !plate("沪DCKCRM") && !plate("京AO1234"));
    }
}
