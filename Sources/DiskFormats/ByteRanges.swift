/// Ranges of bytes, in order, that do not touch.
package struct ByteRanges: Hashable, Sendable {
    package private(set) var ranges: [Range<Int64>] = []

    package init() {}

    /// Sorts and joins what overlaps or touches.
    package init(_ some: some Sequence<Range<Int64>>) {
        for range in some.filter({ !$0.isEmpty }).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = ranges.last, range.lowerBound <= last.upperBound {
                ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                ranges.append(range)
            }
        }
    }

    package var count: Int64 { ranges.reduce(0) { $0 + Int64($1.count) } }

    /// What of these is in others too.
    package func intersection(_ others: ByteRanges) -> ByteRanges {
        var result = ByteRanges()
        var (one, other) = (0, 0)
        while one < ranges.count, other < others.ranges.count {
            let (left, right) = (ranges[one], others.ranges[other])
            let both = left.clamped(to: right)
            if !both.isEmpty { result.ranges.append(both) }
            if left.upperBound < right.upperBound { one += 1 } else { other += 1 }
        }
        return result
    }

    /// What of these is not in others.
    package func subtracting(_ others: ByteRanges) -> ByteRanges {
        var result = ByteRanges()
        var other = 0
        for range in ranges {
            var start = range.lowerBound
            while other < others.ranges.count, others.ranges[other].upperBound <= start { other += 1 }
            var at = other
            while at < others.ranges.count, others.ranges[at].lowerBound < range.upperBound {
                if others.ranges[at].lowerBound > start { result.ranges.append(start..<others.ranges[at].lowerBound) }
                start = max(start, others.ranges[at].upperBound)
                at += 1
            }
            if start < range.upperBound { result.ranges.append(start..<range.upperBound) }
        }
        return result
    }
}
