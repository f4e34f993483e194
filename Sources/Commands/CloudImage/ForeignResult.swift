/// The result of gen-vm-image 0.0.8.
struct ForeignResult: Sendable {
    var response: String
    var returnCode: Int32
    var verboseMessages: [String]

    /// One object, with a line break at its end.
    var text: String {
        PythonJSON.text([
            "response": .text(response), "return_code": .number(returnCode),
            "status": .text(returnCode == 0 ? "success" : "failed"), "verbose_messages": .list(verboseMessages),
        ])
    }
}
