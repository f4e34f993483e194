import Tooling
import Model

extension CommandRunning {
    /// As `runChecked`, with a remedy for a program that fails.
    @discardableResult
    func runChecked(
        _ command: Command, activity: String, remedy: String?, onLine: @escaping LineHandler
    ) async throws -> CommandResult {
        do {
            return try await runChecked(command, activity: activity, onLine: onLine)
        } catch var error as FactoryError {
            error.remedy = error.remedy ?? remedy
            throw error
        }
    }
}
