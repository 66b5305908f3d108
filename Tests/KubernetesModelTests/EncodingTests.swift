import Testing

@testable import KubernetesModel

@Suite struct Base64Tests {
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ]) func hasTheVectorsOfRFC4648(_ plain: String, _ text: String) {
        #expect(Base64.encode(plain.utf8) == text)
        #expect(Base64.decode(text) == Array(plain.utf8))
    }

    @Test func carriesEveryByte() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + 200) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
        #expect(Base64.decode("Zm9v\r\nYmFy\n") == Array("foobar".utf8))
    }

    @Test(arguments: [
        ("Zg", 2), ("Zg=", 3), ("Z===", 1), ("Zg==Zg==", 4), ("Z-8=", 1), ("====", 0), ("Zm9v=", 4), (" Zg==", 0),
    ])
    func refuses(_ text: String, _ offset: Int) {
        #expect(Base64.decode(text) == nil)
        #expect(Base64.invalidOffset(text) == offset)
    }
}

@Suite struct TimestampParsingTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0, 0), ("2000-02-29T23:59:59Z", 951_868_799, 0),
            ("2026-01-01t00:00:00z", 1_767_225_600, 0),
            ("2026-01-01T01:30:00+01:30", 1_767_225_600, 0), ("2025-12-31T23:00:00-01:00", 1_767_225_600, 0),
            ("1970-01-01T00:00:00.5Z", 0, 500_000_000), ("1970-01-01T00:00:00.123456789Z", 0, 123_456_789),
            ("1970-01-01T00:00:00.1234567899Z", 0, 123_456_789), ("1969-12-31T23:59:59Z", -1, 0),
            ("0000-01-01T00:00:00Z", -62_167_219_200, 0), ("9999-12-31T23:59:59Z", 253_402_300_799, 0),
        ])
    func reads(_ text: String, _ seconds: Int, _ nanoseconds: Int) {
        #expect(Timestamp(text) == Timestamp(seconds: seconds, nanoseconds: nanoseconds))
    }

    @Test(arguments: [
        "", "2026", "2026-01-01", "2026-01-01 00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-01-32T00:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:00", "2026-01-01T00:00:00ZZ",
        "2026-01-01T00:00:00+1",
        "2026-01-01T00:00:00X", "a026-01-01T00:00:00Z",
    ]) func refuses(_ text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test func writesThreeForms() {
        let moment = Timestamp(seconds: 951_868_799, nanoseconds: 1_002_003)
        #expect(moment.description == "2000-02-29T23:59:59Z")
        #expect(moment.micro == "2000-02-29T23:59:59.001002Z")
        #expect(moment.nano == "2000-02-29T23:59:59.001002003Z")
        #expect(Timestamp(moment.nano) == moment)
        #expect(moment.since(Timestamp(seconds: 951_868_798)) == 1.001002003)
        #expect(Timestamp(seconds: 1) < Timestamp(seconds: 1, nanoseconds: 1))
    }
}
