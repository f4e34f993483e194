/// Times as the documents have them.
enum Timestamp {
    /// `2025-11-15T09:40:35Z` of seconds since 1970 (the civil calendar from a count of days, by eras of 400 years).
    static func text(_ seconds: UInt64) -> String {
        // Four digits are all that a year has there.
        let seconds = min(seconds, 253_402_300_799)
        let days = seconds / 86400 + 719_468
        let ofEra = days % 146_097
        let year = (ofEra - ofEra / 1460 + ofEra / 36524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * year + year / 4 - year / 100)
        let shifted = (5 * ofYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let civil = days / 146_097 * 400 + year + (month <= 2 ? 1 : 0)
        let time = seconds % 86400
        return "\(padded(civil, 4))-\(padded(month))-\(padded(ofYear - (153 * shifted + 2) / 5 + 1))T"
            + "\(padded(time / 3600)):\(padded(time / 60 % 60)):\(padded(time % 60))Z"
    }

    private static func padded(_ number: UInt64, _ width: Int = 2) -> String {
        let digits = "\(number)"
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
