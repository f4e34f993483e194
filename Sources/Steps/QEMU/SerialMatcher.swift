/// What a guest has shown.
package enum BootSign: Hashable, Sendable {
    case loginPrompt
    case cloudInitFinished
    /// The machine was switched off, by the guest or by us. Not seen on the console, but told by QEMU's end.
    case poweredOff
    /// The guest was restarted; told by QEMU, as a machine for installations halts then.
    case restarted
    /// An installer, or our probe in a guest of cloud-init, said on the port for it that it is done.
    case installationFinished
    /// What may explain a failure that comes later, or no failure at all.
    case clue(Clue)
    /// It will not get any further, for this reason.
    case failure(String)

    package enum Clue: Hashable, Sendable {
        /// The guest wrote more than its disk holds.
        case diskFull
    }
}

/// Finds the signs of a guest that has booted, or never will, in the text of its serial console. Pure: bytes in,
/// signs out.
package struct SerialMatcher: Sendable {
    /// A text and what it means. The text of a prompt stands at the end of an unfinished line.
    struct Rule: Sendable {
        var text: String
        var isPrompt = false
        var reason: String
    }

    /// What a line may say.
    struct Rules: Sendable {
        var failures: [Rule] = []
        var clues: [(text: String, clue: BootSign.Clue)] = []
        var showsBoot = false
        /// The whole line by which a guest says that it is done.
        var finished: String?
        /// Whether programs draw windows on the console: then a move of the cursor ends a line.
        var isScreen = false
    }

    /// Of a system that boots.
    static let boot = Rules(failures: bootFailures, showsBoot: true)

    static let bootFailures = [
        Rule(text: "Kernel panic", reason: "the kernel panicked"),
        Rule(text: "No bootable device", reason: "the firmware found nothing to boot"),
        Rule(text: "No bootable option or device", reason: "the firmware found nothing to boot"),
        Rule(text: "Boot failed: not a bootable disk", reason: "the firmware found nothing to boot"),
        Rule(text: "UEFI Interactive Shell", reason: "the firmware found nothing to boot and started its shell"),
        Rule(text: "grub rescue>", isPrompt: true, reason: "GRUB did not find its files"),
        Rule(text: "grub>", isPrompt: true, reason: "GRUB did not find its configuration"),
        Rule(text: "(initramfs)", isPrompt: true, reason: "the initramfs did not find the root file system"),
        Rule(text: "Gave up waiting for root", reason: "the initramfs did not find the root file system"),
        Rule(text: "dracut:/#", isPrompt: true, reason: "the initramfs ended in its emergency shell"),
        Rule(text: "Entering emergency mode", reason: "the initramfs ended in its emergency shell"),
        Rule(text: "You are in emergency mode", reason: "the system ended in emergency mode"),
        Rule(text: "You are in rescue mode", reason: "the system ended in rescue mode"),
    ]

    /// Bytes of a line that are looked at.
    private static let limit = 4096
    private let rules: Rules
    private var line: [UInt8] = []
    private var escape: EscapeFilter

    package init() { self.init(Self.boot) }

    init(_ rules: Rules) {
        self.rules = rules
        escape = EscapeFilter(movesEndLines: rules.isScreen)
    }

    /// The signs in these bytes, in order. A prompt is told again whenever more comes after it on its line.
    package mutating func signs(adding bytes: some Sequence<UInt8>) -> [BootSign] {
        var found: [BootSign] = []
        for byte in bytes {
            guard let byte = escape.filter(byte) else { continue }
            if byte == 0x0a {
                found += signs(isComplete: true)
                line.removeAll(keepingCapacity: true)
            } else if byte != 0x0d, line.count < Self.limit {
                line.append(byte)
            }
        }
        return found + signs(isComplete: false)
    }

    private func signs(isComplete: Bool) -> [BootSign] {
        guard !line.isEmpty else { return [] }
        let text = String(decoding: line, as: UTF8.self)
        let prompt = String(text.reversed().drop { $0 == " " }.reversed())
        if rules.showsBoot {
            if prompt.hasSuffix("login:"), !prompt.hasSuffix("Last login:"), !isComplete || text.hasSuffix("login: ") {
                return [.loginPrompt]
            }
            if isComplete, text.contains("Cloud-init v."), text.contains(" finished at ") {
                return [.cloudInitFinished]
            }
        }
        if isComplete, let finished = rules.finished, prompt == finished { return [.installationFinished] }
        if isComplete, let found = rules.clues.first(where: { text.contains($0.text) }) { return [.clue(found.clue)] }
        let hit = rules.failures.first { rule in
            rule.isPrompt ? !isComplete && prompt.hasSuffix(rule.text) : isComplete && text.contains(rule.text)
        }
        guard let hit else { return [] }
        return [.failure(hit.isPrompt ? hit.reason : "\(hit.reason): \(SerialText.printable(line))")]
    }
}
