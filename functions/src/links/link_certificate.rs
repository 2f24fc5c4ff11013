//! `link_certificate`: what became of a link, signed.

use http::{StatusCode, header};
use share_auth::CertificateKeys;
use share_contract::{ErrorCode, Operation, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, NoJson, PublicUrl, Request, whole};
use share_model::{Certificate, Delivery, LinkId, Role};
use share_store::{Audit, Files, Links, Platform, StartError, certificate_keys, forget_at};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct LinkCertificate {
    authenticator: Authenticator,
    links: Links,
    files: Files,
    audit: Audit,
    keys: CertificateKeys,
    public_url: PublicUrl,
}

impl Endpoint for LinkCertificate {
    const NAME: &'static str = "LinkCertificate";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::LINK_CERTIFICATE];
    type Json = NoJson;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            links: Links::connect(platform)?,
            files: Files::connect(platform)?,
            audit: Audit::connect(platform)?,
            keys: certificate_keys(platform).await?,
            public_url: PublicUrl::read(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<NoJson>, ApiError> {
        let user = self.authenticator.caller(request).await?; // 401, 403
        let id = request.path_parameter("id", LinkId::parse)?.ok_or(ErrorCode::LinkUnknown)?; // 400
        let link = self.links.find(&id).await?; // 503
        let link = link.filter(|link| user.role == Role::Ops || link.user_id == user.id);
        // DynamoDB deletes a link and its receipts one by one, some days after this.
        let link = link.filter(|link| forget_at(link) > request.now().as_second());
        let link = link.ok_or(ErrorCode::LinkUnknown)?; // 404
        let receipts = self.audit.receipts_of(&link).await?; // 503
        let whole_chain = link.chain.verify(&id, &receipts);
        whole_chain.map_err(|_| ErrorCode::ReceiptsBroken)?; // 409
        let delivery = Delivery::of(&id, &receipts, request.now());
        let delivery = delivery.map_err(|_| ErrorCode::ReceiptsBroken)?; // 409
        let file = self.files.find(link.file_id).await?; // 503
        let certificate = Certificate {
            iss: self.public_url.of(request, "")?,
            iat: request.now().as_second(),
            sub: id,
            filename: link.filename,
            uploaded_by: file.map(|file| file.uploaded_by),
            delivery,
            receipts,
        };
        let name = format!("attachment; filename=\"certificate-{}.jwt\"", certificate.sub);
        Ok(Answer::bytes(StatusCode::OK, whole(self.keys.sign(&certificate)))
            .with(header::CONTENT_TYPE, "application/jwt")
            .with(header::CONTENT_DISPOSITION, name))
    }
}
