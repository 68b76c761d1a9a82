//! The same table in every format that a company keeps it in.

use super::*;
use ::parquet::{
    basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel},
    data_type::{ByteArray, ByteArrayType, DoubleType},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use rusqlite::Connection;
use std::io::Write as _;

const ROWS: [(&str, f64, &str); 3] = [
    ("王小明", 13_902_468_135.0, "上海市浦东新区世纪大道100号"),
    ("Jane Doe", 13_888_880_001.0, "5 Elm Street Springfield"),
    ("李雷", 13_999_990_002.0, "广州市天河区体育西路9号"),
];

/// Learns the table, and finds its rows and its numbers.
fn is_learnt(company: &Company, path: PathBuf) {
    let learnt = company.learn(&Lesson { exact: vec![path.clone()], ..company.lesson() });
    assert_eq!(learnt.unread, [], "{path:?}");
    assert_eq!((learnt.tables.len(), learnt.tables[0].rows), (1, 3), "{path:?}");
    let headings: Vec<&str> = learnt.tables[0].columns.iter().map(|column| column.heading.as_str()).collect();
    assert_eq!(headings, ["name", "phone", "address"], "{path:?}");
    let detectors = company.detectors(&learnt.sections);
    let texts = |text: &str| found(&detectors, text).into_iter().map(|(_, text)| text.to_owned()).collect::<Vec<_>>();
    assert_eq!(texts("客户王小明住在上海市浦东新区世纪大道100号，请联系"), ["王小明", "上海市浦东新区世纪大道100号"], "{path:?}");
    assert_eq!(texts("call 138 8888 0001"), ["138 8888 0001"], "{path:?}");
    assert_eq!(texts("李雷住在上海市浦东新区世纪大道100号"), [""; 0], "{path:?}");
}

#[test]
fn tables_of_a_database_are_learnt() {
    let company = Company::new();
    let path = company.folder.path().join("crm.db");
    let database = Connection::open(&path).expect("made");
    database.execute("CREATE TABLE customers (name TEXT, phone INTEGER, address TEXT)", ()).expect("made");
    for row in ROWS {
        database.execute("INSERT INTO customers VALUES (?1, CAST(?2 AS INTEGER), ?3)", row).expect("written");
    }
    drop(database);
    is_learnt(&company, path);
}

#[test]
fn sheets_of_a_workbook_are_learnt() {
    let company = Company::new();
    let text = |text: &str| format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>");
    let rows = ROWS.map(|(name, phone, address)| format!("<row>{}<c><v>{phone:E}</v></c>{}</row>", text(name), text(address)));
    let header = ["name", "phone", "address"].map(text).concat();
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006/relationships";
    let parts = [
        (
            "_rels/.rels",
            format!(
                "<Relationships xmlns=\"{package}\"><Relationship Id=\"r1\" Type=\"{office}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{main}\" xmlns:r=\"{office}\"><sheets><sheet name=\"Kunden\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships xmlns=\"{package}\"><Relationship Id=\"r1\" Type=\"{office}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!("<worksheet xmlns=\"{main}\"><sheetData><row>{header}</row>{}</sheetData></worksheet>", rows.concat()),
        ),
    ];
    let mut book = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, part) in parts {
        book.start_file(name, zip::write::SimpleFileOptions::default()).expect("begun");
        book.write_all(part.as_bytes()).expect("written");
    }
    let bytes = book.finish().expect("finished").into_inner();
    is_learnt(&company, company.write("customers.xlsx", bytes));
}

/// A Parquet file; `text` is how it says that bytes are text.
fn parquet(text: &str, compression: Compression) -> Vec<u8> {
    let schema = format!("message customers {{ required binary name{text}; optional double phone; required binary address{text}; }}");
    let schema = parse_message_type(&schema).expect("a schema");
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut bytes = Vec::new();
    let mut file = SerializedFileWriter::new(&mut bytes, Arc::new(schema), Arc::new(properties)).expect("begun");
    let mut group = file.next_row_group().expect("a group");
    let texts = |of: fn(&(&'static str, f64, &'static str)) -> &'static str| ROWS.each_ref().map(|row| ByteArray::from(of(row)));
    for number in 0..3 {
        let mut column = group.next_column().expect("a column").expect("three");
        match number {
            1 => column.typed::<DoubleType>().write_batch(&ROWS.map(|row| row.1), Some(&[1; 3]), None),
            0 => column.typed::<ByteArrayType>().write_batch(&texts(|row| row.0), None, None),
            _ => column.typed::<ByteArrayType>().write_batch(&texts(|row| row.2), None, None),
        }
        .expect("written");
        column.close().expect("closed");
    }
    group.close().expect("closed");
    file.close().expect("closed");
    bytes
}

#[test]
fn parquet_files_are_learnt_and_damaged_ones_told() {
    let company = Company::new();
    let compressions = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::LZ4_RAW,
    ];
    for (number, compression) in compressions.into_iter().enumerate() {
        is_learnt(&company, company.write(&format!("{number}.parquet"), parquet(" (UTF8)", compression)));
    }
    is_learnt(&company, company.write("plain.parquet", parquet("", Compression::SNAPPY)));

    let good = company.write("good.csv", CUSTOMERS);
    let whole = parquet(" (UTF8)", Compression::SNAPPY);
    for cut in [4, 20, whole.len() / 2, whole.len() - 9] {
        let path = company.write("cut.parquet", &whole[..cut]);
        let learnt = company.learn(&Lesson { exact: vec![path.clone(), good.clone()], ..company.lesson() });
        assert!(learnt.tables.len() == 1 && learnt.unread.len() == 1 && learnt.unread[0].path == path, "{:?}", learnt.unread);
        assert!(matches!(learnt.unread[0].reason, Reason::Damaged(_)), "{:?}", learnt.unread);
    }
}

#[test]
fn no_damage_to_a_parquet_file_ends_the_lesson() {
    let company = Company::new();
    let whole = parquet(" (UTF8)", Compression::SNAPPY);
    for at in 4..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        let path = company.write("damaged.parquet", &damaged);
        let sheets = rows::open(&path).into_iter().flatten();
        sheets.for_each(|sheet| drop(sheet.rows(&mut |_| std::ops::ControlFlow::Continue(()))));
    }
}
