/// The result of gen-vm-image 0.0.8.
struct ForeignResult: Sendable {
    var response: String
    var returnCode: Int32
    var verboseMessages: [String]
    /// What a person has to know although all is well.
    var warnings: [String] = []

    /// A failure is one object on standard error, and nothing else, for whoever reads it from there.
    var answer: ForeignAnswer {
        guard returnCode == 0 else { return ForeignAnswer(errors: text, status: returnCode) }
        return ForeignAnswer(output: text, errors: ForeignAnswer.lines(warnings))
    }

    /// One object, with a line break at its end.
    var text: String {
        PythonJSON.text([
            "response": .text(response), "return_code": .number(returnCode),
            "status": .text(returnCode == 0 ? "success" : "failed"), "verbose_messages": .list(verboseMessages),
        ])
    }
}
