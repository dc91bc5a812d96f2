"""The stand-in project's keys: the pairs that sign its tokens, and its two API keys.

They are made once and kept in a file, which is read for each use, so that a rotation takes effect
at once. Nothing here is used outside one machine.
"""

import json
import secrets
from base64 import b64encode
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

Algorithm = Literal["HS256", "ES256", "RS256"]
# As long as the API keys of a real project.
_API_KEY_EXPIRES = 4_102_444_800


@dataclass(frozen=True, slots=True)
class SigningKey:
    kid: str
    algorithm: Algorithm
    private_pem: str

    @classmethod
    def generate(cls, algorithm: Algorithm) -> Self:
        private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
        if algorithm == "RS256":
            private = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        else:
            private = ec.generate_private_key(ec.SECP256R1())
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return cls(secrets.token_hex(8), algorithm, pem.decode())

    def public_jwk(self) -> dict[str, Any]:
        public = load_pem_private_key(self.private_pem.encode(), None).public_key()
        jwk: dict[str, Any] = jwt.get_algorithm_by_name(self.algorithm).to_jwk(public, as_dict=True)
        return jwk | {"kid": self.kid, "alg": self.algorithm, "use": "sig"}


@dataclass(frozen=True, slots=True)
class Keys:
    """`signing` are the project's key pairs, the current one first. Without any, it signs with
    HS256 and `jwt_secret`, as older projects do.
    """

    django_secret: str
    jwt_secret: str
    anon_key: str
    service_role_key: str
    resend_key: str
    signing: tuple[SigningKey, ...]
    # May send and nothing else; `resend_key` has full access.
    resend_sending_key: str = ""
    resend_webhook_secret: str = ""

    @classmethod
    def load(cls, folder: Path, *, algorithm: Algorithm = "ES256") -> Self:
        """The keys in `folder`; new ones where there are none."""
        path = folder / "keys.json"
        if not path.exists():
            cls._generate(algorithm).save(folder)
        kept = json.loads(path.read_text())
        signing = tuple(SigningKey(**key) for key in kept.pop("signing"))
        # The file of an older demo has fewer keys.
        added = {name: value for name, value in _keys_of_resend().items() if not kept.get(name)}
        keys = cls(**{**kept, **added}, signing=signing)
        if added:
            keys.save(folder)
        return keys

    @classmethod
    def _generate(cls, algorithm: Algorithm) -> Self:
        jwt_secret = secrets.token_urlsafe(48)
        return cls(
            django_secret=secrets.token_urlsafe(48),
            jwt_secret=jwt_secret,
            anon_key=_api_key("anon", jwt_secret),
            service_role_key=_api_key("service_role", jwt_secret),
            signing=() if algorithm == "HS256" else (SigningKey.generate(algorithm),),
            **_keys_of_resend(),
        )

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        new = folder / "keys.json.new"
        new.touch(mode=0o600)
        new.write_text(json.dumps(asdict(self), indent=1))
        new.replace(folder / "keys.json")

    def sign(self, claims: dict[str, Any]) -> str:
        if not self.signing:
            return jwt.encode(claims, self.jwt_secret, algorithm="HS256")
        key = self.signing[0]
        return jwt.encode(
            claims, key.private_pem, algorithm=key.algorithm, headers={"kid": key.kid}
        )

    def public_jwks(self) -> dict[str, Any]:
        return {"keys": [key.public_jwk() for key in self.signing]}

    def verify(self, token: str) -> dict[str, Any]:
        """The claims of a token or an API key of this project. Raises jwt.InvalidTokenError."""
        kid = jwt.get_unverified_header(token).get("kid")
        for key in self.signing:
            if key.kid == kid:
                public = load_pem_private_key(key.private_pem.encode(), None).public_key()
                return dict(_decode(token, public, key.algorithm))
        return dict(_decode(token, self.jwt_secret, "HS256"))


def _keys_of_resend() -> dict[str, str]:
    return {
        "resend_key": f"re_{secrets.token_urlsafe(24)}",
        "resend_sending_key": f"re_{secrets.token_urlsafe(24)}",
        "resend_webhook_secret": f"whsec_{b64encode(secrets.token_bytes(24)).decode()}",
    }


def _decode(token: str, key: Any, algorithm: Algorithm) -> Any:
    return jwt.decode(token, key, algorithms=[algorithm], options={"verify_aud": False})


def _api_key(role: str, jwt_secret: str) -> str:
    claims = {"iss": "supabase", "ref": "local", "role": role, "exp": _API_KEY_EXPIRES}
    return jwt.encode(claims, jwt_secret, algorithm="HS256")
