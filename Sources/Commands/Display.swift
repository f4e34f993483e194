import FactoryCore
import Glibc
import Model
struct Display {
    init(_ o: OutputOptions) {}
    init() {}
    static var plain: Display { Display() }
    static func warn(_ s: String) { print("warning: \(s)") }
    var consumers: [@Sendable (BuildEvent) -> Void] { [{ e in print(String(decoding: (try? Canonical.bytes(e)) ?? [], as: UTF8.self)) }] }
    func finish() {}
    func show(_ r: BuildReport) { for s in r.steps { print(s.name, s.reused, s.seconds) }; print(r.seconds) }
}
enum Ending {
    static func status(_ d: Display, _ body: () async throws -> Void) async throws {
        do { try await body() } catch let e as FactoryError { print("error: \(e.activity ?? ""): \(e.message) hint: \(e.remedy ?? "") log: \(e.log ?? "")"); exit(e.code.rawValue) }
    }
}
