import ArgumentParser

/// `archipelago cargo …`.
struct CargoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cargo", abstract: "Build, test, and publish Cargos.",
        subcommands: [
            CargoTest.self, CargoScan.self, CargoPush.self, CargoSubmit.self, CargoStatus.self, CargoEdit.self, CargoHandIn.self, CargoWithdraw.self,
            CargoResubmit.self, CargoDelete.self, CargoPublish.self, CargoSBOM.self, CargoJustify.self,
            CargoVEX.self, CargoKeygen.self, CargoSign.self, CargoVerify.self, CargoCertify.self,
            CargoCertification.self, CargoRevoke.self, CargoRevoked.self,
        ])
}
