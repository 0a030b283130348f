"""Which words does the Hub know: its licences, languages, tasks and sizes, and what a Space is made with."""

from __future__ import annotations

_LICENSES = """
    apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0
    bigcode-openrail-m afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc
    cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0
    cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0
    cdla-sharing-1.0 cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1
    eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc h-research intel-research lppl-1.3c
    ms-pl apple-ascl apple-amlr mpl-2.0 odc-by odbl openmdw-1.0 openrail++ osl-3.0 postgresql ofl-1.1 ncsa
    unlicense zlib pddl lgpl-lr deepfloyd-if-license fair-noncommercial-research-license llama2 llama3 llama3.1
    llama3.2 llama3.3 llama4 grok2-community gemma unknown other
"""
LICENSES = tuple(_LICENSES.split())

_LANGUAGES = """
    aa:afar ab:abkhazian ae:avestan af:afrikaans ak:akan am:amharic an:aragonese ar:arabic as:assamese av:avaric
    ay:aymara az:azerbaijani ba:bashkir be:belarusian bg:bulgarian bi:bislama bm:bambara bn:bengali bo:tibetan
    br:breton bs:bosnian ca:catalan ce:chechen ch:chamorro co:corsican cr:cree cs:czech cu:church-slavic
    cv:chuvash cy:welsh da:danish de:german dv:dhivehi dz:dzongkha ee:ewe el:greek en:english eo:esperanto
    es:spanish et:estonian eu:basque fa:persian ff:fulah fi:finnish fj:fijian fo:faroese fr:french
    fy:western-frisian ga:irish gd:scottish-gaelic gl:galician gn:guarani gu:gujarati gv:manx ha:hausa he:hebrew
    hi:hindi ho:hiri-motu hr:croatian ht:haitian hu:hungarian hy:armenian hz:herero ia:interlingua id:indonesian
    ie:interlingue ig:igbo ii:sichuan-yi ik:inupiaq io:ido is:icelandic it:italian iu:inuktitut ja:japanese
    jv:javanese ka:georgian kg:kongo ki:kikuyu kj:kuanyama kk:kazakh kl:kalaallisut km:khmer kn:kannada ko:korean
    kr:kanuri ks:kashmiri ku:kurdish kv:komi kw:cornish ky:kirghiz la:latin lb:luxembourgish lg:ganda li:limburgan
    ln:lingala lo:lao lt:lithuanian lu:luba-katanga lv:latvian mg:malagasy mh:marshallese mi:maori mk:macedonian
    ml:malayalam mn:mongolian mr:marathi ms:malay mt:maltese my:burmese na:nauru nb:norwegian-bokmal
    nd:north-ndebele ne:nepali ng:ndonga nl:dutch nn:norwegian-nynorsk no:norwegian nr:south-ndebele nv:navajo
    ny:nyanja oc:occitan oj:ojibwa om:oromo or:oriya os:ossetian pa:panjabi pi:pali pl:polish ps:pushto
    pt:portuguese qu:quechua rm:romansh rn:rundi ro:romanian ru:russian rw:kinyarwanda sa:sanskrit sc:sardinian
    sd:sindhi se:northern-sami sg:sango sh:serbo-croatian si:sinhala sk:slovak sl:slovenian sm:samoan sn:shona
    so:somali sq:albanian sr:serbian ss:swati st:southern-sotho su:sundanese sv:swedish sw:swahili ta:tamil
    te:telugu tg:tajik th:thai ti:tigrinya tk:turkmen tl:tagalog tn:tswana to:tonga tr:turkish ts:tsonga tt:tatar
    tw:twi ty:tahitian ug:uighur uk:ukrainian ur:urdu uz:uzbek ve:venda vi:vietnamese vo:volapuk wa:walloon
    wo:wolof xh:xhosa yi:yiddish yo:yoruba za:zhuang zh:chinese zu:zulu
"""
LANGUAGES = {code: name for code, _, name in (one.partition(":") for one in _LANGUAGES.split())}
"""{ISO 639-1 code: its English name, in small letters and with hyphens}."""
SPECIAL_LANGUAGES = ("code", "multilingual")
RIGHT_TO_LEFT = ("ar", "fa", "he", "ps", "sd", "ug", "ur", "yi")

_PIPELINE_TAGS = """
    text-classification token-classification table-question-answering question-answering zero-shot-classification
    translation summarization feature-extraction text-generation text2text-generation fill-mask
    sentence-similarity text-to-speech text-to-audio automatic-speech-recognition audio-to-audio
    audio-classification audio-text-to-text voice-activity-detection depth-estimation image-classification
    object-detection image-segmentation text-to-image image-to-text image-to-image image-to-video
    unconditional-image-generation video-classification reinforcement-learning robotics tabular-classification
    tabular-regression tabular-to-text table-to-text multiple-choice text-ranking text-retrieval
    time-series-forecasting text-to-video image-text-to-text image-text-to-image image-text-to-video
    visual-question-answering document-question-answering zero-shot-image-classification graph-ml mask-generation
    zero-shot-object-detection text-to-3d image-to-3d image-feature-extraction video-text-to-text video-to-video
    keypoint-detection visual-document-retrieval any-to-any other
"""
PIPELINE_TAGS = tuple(_PIPELINE_TAGS.split())
"""What `pipeline_tag` and `task_categories` may say: packages/tasks of huggingface.js. The Hub only warns of others."""

_SIZES = """
    n<1K 1K<n<10K 10K<n<100K 100K<n<1M 1M<n<10M 10M<n<100M 100M<n<1B 1B<n<10B 10B<n<100B 100B<n<1T n>1T
"""
SIZES = tuple(_SIZES.split())

RELATIONS = ("adapter", "merge", "quantized", "finetune")
SDKS = ("gradio", "docker", "static", "streamlit")
COLORS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
