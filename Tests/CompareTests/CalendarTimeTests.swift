import Testing

@testable import Compare

@Suite struct CalendarTimeTests {
    @Test(
        arguments: [
            (0, "0"), (1, "1970-01-01T00:00:01Z"), (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_248_892, "2026-11-21T08:14:52Z"), (4_294_967_295, "2106-02-07T06:28:15Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] as [(Int64, String)])
    func `Seconds become a date`(seconds: Int64, text: String) {
        #expect(CalendarTime.text(seconds) == text)
    }
}
