extension Factory { func accelerator() async -> DoctorFinding { DoctorFinding(subject: "x", state: .good, detail: "x") } }
