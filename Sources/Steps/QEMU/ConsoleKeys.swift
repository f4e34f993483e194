/// Finds the keys that are meant for the console rather than for the guest: Ctrl-] and one more.
struct ConsoleKeys: Sendable {
    enum Action: Hashable, Sendable {
        case type([UInt8])
        /// Ctrl-] q: switches the machine off at once.
        case quit
        /// Ctrl-] p: presses the power button.
        case powerDown
    }

    static let help = "Ctrl-] q switches the machine off, Ctrl-] p presses its power button, Ctrl-] Ctrl-] types Ctrl-]"
    private static let prefix: UInt8 = 0x1d
    private var isEscaped = false

    /// What to do for the bytes that were typed, in order.
    mutating func actions(for bytes: some Sequence<UInt8>) -> [Action] {
        var actions: [Action] = []
        var text: [UInt8] = []
        for byte in bytes {
            guard isEscaped else {
                if byte == Self.prefix { isEscaped = true } else { text.append(byte) }
                continue
            }
            isEscaped = false
            switch byte {
            case UInt8(ascii: "q"), UInt8(ascii: "Q"), UInt8(ascii: "p"), UInt8(ascii: "P"):
                if !text.isEmpty { actions.append(.type(text)) }
                text = []
                actions.append(byte | 0x20 == UInt8(ascii: "q") ? .quit : .powerDown)
            case Self.prefix: text.append(byte)
            default: text += [Self.prefix, byte]
            }
        }
        return text.isEmpty ? actions : actions + [.type(text)]
    }
}
