package import Model

/// Something that no image may have: data for people, and the checks that find it.
package struct Rule: Sendable {
    /// To which systems a rule applies.
    package enum Family: String, Sendable, CaseIterable {
        case every
        case debian
    }

    /// As in `H-01`: it stands in waivers and manifests, so it never changes its meaning.
    package var id: String
    package var family: Family
    package var verdict: VerifyFinding.Verdict
    /// What must hold, in one sentence.
    package var demand: String
    /// What happens otherwise.
    package var reason: String
    /// What to do about it.
    package var hint: String
    /// Whether a definition may let it be broken.
    package var mayBeWaived: Bool
    package var checks: [Check]

    init(
        _ id: String, _ demand: String, family: Family = .every, verdict: VerifyFinding.Verdict = .error,
        reason: String, hint: String, mayBeWaived: Bool = true, checks: [Check]
    ) {
        self.id = id
        self.family = family
        self.verdict = verdict
        self.demand = demand
        self.reason = reason
        self.hint = hint
        self.mayBeWaived = mayBeWaived
        self.checks = checks
    }

    /// In the order of their ids.
    package static let all: [Rule] = {
        let groups: [[Rule]] = [
            IdentityRules.rules, AccountRules.rules, CloudRules.rules, NetworkRules.rules, PackageRules.rules,
            LeftoverRules.rules, BootRules.rules, CredentialRules.rules, TreeRules.rules, DiskRules.rules,
        ]
        return groups.flatMap(\.self).sorted { $0.id < $1.id }
    }()

    package static func named(_ id: String) -> Rule? { all.first { $0.id == id } }
}

/// One way in which a rule can be broken.
package struct Check: Sendable {
    /// `absent`, `empty`, `content`…: how it looks.
    package var kind: String
    /// Where it is less than the rule's own.
    package var verdict: VerifyFinding.Verdict?
    var find: @Sendable (Inspection) throws -> [Observation]

    init(
        _ kind: String, verdict: VerifyFinding.Verdict? = nil,
        _ find: @escaping @Sendable (Inspection) throws -> [Observation]
    ) {
        self.kind = kind
        self.verdict = verdict
        self.find = find
    }
}

/// What a check found at one place.
struct Observation: Hashable {
    var path: String
    var message: String
    /// The bytes that are at fault: only their digest is ever shown.
    var evidence: [UInt8]?

    init(_ path: String, _ message: String, evidence: [UInt8]? = nil) {
        self.path = path
        self.message = message
        self.evidence = evidence
    }
}
